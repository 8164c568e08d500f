#!/usr/bin/env bash
# What a collection of a large repository takes: memory and time.
#
#   collect.sh [DIR]
#
# Makes repositories of BLOCKS (default: 1000000 2000000) blocks and a tenth of
# that as garbage in a folder in memory (a file each, empty: a kilobyte of
# inode), collects them, and prints a line for each: blocks, seconds, peak MiB,
# deleted objects. OBJVAULT and MAKE_BIG: the programs.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d "${1:-/dev/shm}/objvault-collect-XXXX")
trap 'rm -rf "$dir"' EXIT
objvault=${OBJVAULT:-$top/build/release/cli/objvault}
make_big=${MAKE_BIG:-$top/build/release/tests/bench/make_big}
echo "blocks seconds peak_mib deleted"
for n in ${BLOCKS:-1000000 2000000}; do
    "$make_big" "$dir/$n" "$n" $((n / 10))
    export OBJVAULT_HOME=$dir/$n/home OBJVAULT_STATE=$dir/$n/own
    "$objvault" --quiet repo attach big "file://$dir/$n/store"
    begin=$(date +%s%N)
    python3 "$top/tests/e2e/peak.py" "$dir/$n/peak" \
        "$objvault" --json repo gc big --yes >"$dir/$n/out"
    end=$(date +%s%N)
    echo "$n $(((end - begin) / 1000000000)).$(((end - begin) / 100000000 % 10))" \
        "$(($(cat "$dir/$n/peak") / 1024)) $(jq .deleted.objects "$dir/$n/out")"
    rm -rf "${dir:?}/$n"
done
