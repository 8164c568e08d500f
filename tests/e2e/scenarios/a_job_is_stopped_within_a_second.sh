# shellcheck shell=bash
# A job's run ends within a second when it is stopped: by `job stop`, or by a
# signal. Gracefully it ends what it has begun. One that is killed is found and
# closed by the next, which does what was left.
# tags: file job stop
# not-tsan: how long something takes means nothing there
most=2000 # milliseconds; the machine may be loaded
! under_sanitizer || most=6000

for n in 1 2 3 4; do
    mkdir -p src/vm$n
    noise 4000000 $n >src/vm$n/disk.raw
done
make_repo --block-size 256K
ov source add lab "dir:$PWD/src"
mkdir -p "$OBJVAULT_HOME/jobs"
echo '{ "containers": ["lab:"], "repo": "r" }' >"$OBJVAULT_HOME/jobs/night.json"

# begin ARG...: a run in the background ($pid), which has stored something new
# when this returns.
begin() {
    local had
    had=$(objects ls plain/blocks/ | wc -l)
    echo "\$ objvault $* &"
    env --default-signal=INT "$OBJVAULT" "$@" >"$out" 2>"$err" </dev/null &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ "$(objects ls plain/blocks/ | wc -l)" -le "$had" ] || return 0
        sleep 0.05
    done
    fail "the run stores nothing"
}

# ended MOST: the run ends within so many milliseconds; $rc.
ended() {
    local began=${EPOCHREALTIME/./} took
    rc=0
    wait "$pid" || rc=$?
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    say "ended after $took ms"
    at_most "$took" "$1" "milliseconds until it ended"
    no_sanitizer_report
}

say "now; meanwhile there is no other run"
begin --json job run night --limit-upload 300K
rc=0
"$OBJVAULT" job run night 2>second || rc=$?
equal "$rc" 1 "exit code of a second run"
grep -q "runs already, since .* (process $pid on " second || fail "$(cat second)"
"$OBJVAULT" job stop night
ended "$most"
equal "$rc" 1 "exit code"
one_document
equal "$(field '"\(.ok) \(.status)"')" "false stopped" "ok and status"
equal "$(field '[.vms[].status] | unique | join(" ")')" stopped "the VMs"
refuses 4 job stop night
says "does not run"

say "by a signal"
begin --json job run night --limit-upload 300K
kill -TERM "$pid"
ended "$most"
equal "$rc" 130 "exit code"
one_document
equal "$(field '"\(.status) \(.error.code)"')" "stopped cancelled" "status and code"

say "gracefully"
begin --json job run night --limit-upload 3M
"$OBJVAULT" job stop night --graceful --wait
ended "$most"
equal "$rc" 1 "exit code"
equal "$(field '[.vms[].status] | sort | join(" ")')" \
    "stopped stopped success success" "the VMs"
done_by_now=$(field '[.vms[] | select(.status == "success") | .vm] | join(" ")')
for n in $done_by_now; do restored "$n@latest" "back-$n" "src/$n"; done

say "killed: the next run says so, and a retry does what was left"
noise 4000000 10 >src/vm1/disk.raw
begin job run night --limit-upload 300K
kill -9 "$pid"
wait "$pid" || true
try --json job run night --retry
equal "$rc" 0 "exit code"
warns "did not end"
equal "$(field '"\(.status) \(.tries)"')" "success 2" "status and tries"
for n in 1 2 3 4; do restored "vm$n@latest" "all-$n" src/vm$n; done
