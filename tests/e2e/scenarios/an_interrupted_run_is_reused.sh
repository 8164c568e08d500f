# shellcheck shell=bash
# Ctrl-C ends a run within a second or so with exit 130; no point appears, and the
# next run re-uses what was uploaded.
# tags: quick
mkdir vm
noise 150000000 1 >vm/disk.raw
make_repo --block-size 256K
env --default-signal=INT "$OBJVAULT" backup run vm --repo r --compression extreme \
    >"$out" 2>"$err" </dev/null &
pid=$!
for ((i = 0; i < 600; i++)); do
    [ "$(objects ls plain/blocks/ | wc -l)" -lt 100 ] || break
    kill -0 "$pid" 2>/dev/null || fail "the run ended before it was interrupted"
    sleep 0.05
done
started=${EPOCHREALTIME/./}
kill -INT "$pid"
rc=0
wait "$pid" || rc=$?
took=$(((${EPOCHREALTIME/./} - started) / 1000))
no_sanitizer_report
equal "$rc" 130 "exit code"
say "ended $took ms after the signal"
# Within about a second; the machine may be loaded.
most=2000
! under_sanitizer || most=5000
at_most "$took" "$most" "milliseconds until it ended"
kept=$(sed -n 's/.*kept: \([0-9]*\) objects.*/\1/p' "$err")
ovj point list --repo r
equal "$(field '.points | length')" 0 "points"
stored=$(objects ls plain/blocks/ | wc -l)
at_least "$kept" 100 "objects kept, by what it said"
backup vm
# What was on its way when the signal came may be stored all the same.
at_most "$(field '.vms[0].new_blocks')" $((573 - kept)) "blocks put by the next run"
on_s3 || equal "$(field '.vms[0].new_blocks')" $((573 - stored)) "blocks put"
restored "$point" back vm

say "an interrupted restore leaves no file under the final name"
env --default-signal=TERM "$OBJVAULT" restore disk "$point" disk.raw --repo r \
    --to half.raw >"$out" 2>"$err" </dev/null &
pid=$!
for ((i = 0; i < 200; i++)); do
    ! compgen -G 'half.raw*' >/dev/null || break
    sleep 0.01
done
kill -TERM "$pid" 2>/dev/null || true
rc=0
wait "$pid" || rc=$?
if [ "$rc" -eq 0 ]; then
    same vm/disk.raw half.raw # it was faster than the signal
else
    equal "$rc" 130 "exit code of the restore"
    ! compgen -G 'half.raw*' >/dev/null || fail "left: $(compgen -G 'half.raw*')"
fi
