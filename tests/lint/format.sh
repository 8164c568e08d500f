#!/usr/bin/env bash
# All C code is as clang-format 14 writes it (.clang-format).
. "$(dirname "$0")/common.sh"
need clang-format-14

cd "$top" || exit 1
while read -r f; do
    finding "$f: run clang-format-14 -i $f"
done < <(c_files "${product[@]}" tests |
    xargs -P "$(nproc)" -n 16 clang-format-14 --dry-run -Werror 2>&1 |
    sed -n 's/^\([^:]*\):[0-9:]* error: .*/\1/p' | sort -u)
finish
