#!/usr/bin/env bash
# cppcheck over the product's code; tests/lint/cppcheck.suppress says what is
# passed over, and why.
. "$(dirname "$0")/common.sh"
need cppcheck

cd "$top" || exit 1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
cppcheck --quiet -j "$(nproc)" --std=c11 --language=c --inline-suppr \
    --enable=warning,performance,portability --error-exitcode=1 \
    --suppressions-list=tests/lint/cppcheck.suppress \
    --template='{file}:{line}: {severity}: {message} [{id}]' \
    -D__linux__ -D_GNU_SOURCE -DOBJVAULT_VERSION='"0"' -I . \
    "${product[@]}" >"$out" 2>&1 || status=$?
while read -r said; do
    case $said in *': '*) finding "$said" ;; esac
done <"$out"
[ "$status" -eq 0 ] || [ "$findings" -gt 0 ] ||
    finding "cppcheck failed: $(tail -n 1 "$out")"
finish
