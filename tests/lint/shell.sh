#!/usr/bin/env bash
# Runs shellcheck over every shell script of the tree.
. "$(dirname "$0")/common.sh"
need shellcheck

cd "$top" || exit 1
mapfile -t scripts < <({
    find . -path './build*' -prune -o -path ./.git -prune -o -name '*.sh' -print
    echo ./.ci/run
} | LC_ALL=C sort)
while read -r said; do
    finding "$said"
done < <(shellcheck -x -f gcc "${scripts[@]}" || true)
finish
