# shellcheck shell=bash
# `bench repo` says beforehand how much it moves, prints rates, and leaves
# nothing, not even when it is interrupted.
# tags: quick
make_repo
tiny=(--sizes '4K,64K' --connections '1,2' --seconds 1s --total 2M)
ovj bench repo r "${tiny[@]}"
warns '16 measurements in about 16 s: at most 2.0 MiB'
equal "$(field '.cells | length')" 16 "cells"
equal "$(field '[.cells[] | select(.requests < 1 or .bytes_per_second <= 0 or
    .p50_ms > .p99_ms)] | length')" 0 "cells without a measurement"
equal "$(field '[.cells[] | "\(.work) \(.verb)"] | unique | join(", ")')" \
    "backup get, backup put, raw get, raw put" "kinds of cells"
at_most "$(field '[.cells[] | select(.verb == "put") | .bytes] | add')" \
    $((2 << 20)) "bytes put"
equal "$(field '.best.raw_put.bytes_per_second ==
    ([.cells[] | select(.work == "raw" and .verb == "put") |
      .bytes_per_second] | max)')" true "the best raw PUT"
equal "$(objects ls gc/)" "" "what is below gc/"
ov bench repo r --sizes 4K --connections 2 --seconds 1s --total 1M
grep -q '^Raw PUT: .* MB/s (4.0 KiB' "$out" || fail "no best: $(cat "$out")"

refuses 2 bench repo r --sizes 1
says --sizes
refuses 2 bench repo r --connections 4,65
says 65

say "interrupted"
"$OBJVAULT" bench repo r --sizes 64K --connections 2 --seconds 60s \
    >"$out" 2>"$err" </dev/null &
pid=$!
for _ in {1..100}; do
    [ -z "$(objects ls gc/)" ] || break
    sleep 0.1
done
kill -TERM $pid
rc=0
wait $pid || rc=$?
equal "$rc" 130 "exit code"
equal "$(objects ls gc/)" "" "what is below gc/"
