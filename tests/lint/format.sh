#!/usr/bin/env bash
# All C code is as clang-format 14 writes it (.clang-format).
. "$(dirname "$0")/common.sh"
need clang-format-14

cd "$top" || exit 1
while read -r f; do
    clang-format-14 --dry-run -Werror "$f" >/dev/null 2>&1 ||
        finding "$f: run clang-format-14 -i $f"
done < <(c_files "${product[@]}" tests)
finish
