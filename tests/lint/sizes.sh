#!/usr/bin/env bash
# Files stay within 600 lines and functions within 80.  A function begins at a
# line in column 0 that ends a parameter list, and its braces stand in column 0
# (clang-format sees to that).
. "$(dirname "$0")/common.sh"

while read -r said; do
    finding "$said"
done < <(c_files "${product[@]}" tests | while read -r f; do
    awk -v file="$f" '
        /^[A-Za-z_].*\(/ && !/;[[:space:]]*$/ { name = $0; sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name) }
        /^\{/ { start = NR }
        /^\}/ && start {
            if (NR - start + 1 > 80)
                printf "%s:%d: %s() has %d lines, 80 is the limit\n",
                    file, start, name, NR - start + 1
            start = 0
        }
        END { if (NR > 600)
            printf "%s: %d lines, 600 is the limit\n", file, NR }
    ' "$top/$f"
done)
finish
