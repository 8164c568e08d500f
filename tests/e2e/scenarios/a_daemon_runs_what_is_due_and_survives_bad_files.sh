# shellcheck shell=bash
# The daemon begins what is due, tells of a wrong file once and goes on, takes
# up what is mended, and refuses a second one beside it. On TERM its runs end
# and are `stopped`; one that is killed takes its runs with it, and the next
# closes what is left of them. --until-idle does the same and ends.
# tags: file

log=$PWD/log

# begin NOW ARG...: a daemon in the background, at that time.
begin() {
    local now=$1
    shift
    : >"$log"
    OBJVAULT_NOW=$now "$OBJVAULT" daemon "$@" 2>>"$log" </dev/null &
    daemon=$!
}

# sees TEXT: waits until the daemon has said it.
sees() {
    for ((i = 0; i < 600; i++)); do
        ! grep -qF -- "$1" "$log" || return 0
        sleep 0.05
    done
    cat "$log"
    fail "the daemon did not say: $1"
}

# logged N TEXT: it said it so often.
logged() {
    equal "$(grep -cF -- "$2" "$log" || true)" "$1" "lines with '$2'"
}

# gone PID: waits for its end.
gone() {
    for ((i = 0; i < 600; i++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.05
    done
    fail "process $1 is still there"
}

job() { # job NAME JSON
    mkdir -p "$OBJVAULT_HOME/jobs"
    echo "$2" >"$OBJVAULT_HOME/jobs/.$1"
    mv "$OBJVAULT_HOME/jobs/.$1" "$OBJVAULT_HOME/jobs/$1.json"
}

mkdir -p vms/web1
noise $((8 << 20)) 1 >vms/web1/disk.raw
make_repo
ov source add here "dir:$PWD/vms"
jq -n --arg metrics "$PWD/metrics" \
    '{collect: "manual", check: "manual", metrics: $metrics}' \
    >"$OBJVAULT_HOME/daemon.json"
nightly='{"repo": "r", "containers": ["here:"], "timezone": "UTC",
    "schedule": "daily 22:00"}'
slow='{"repo": "r", "vms": ["here:web1"], "limit_upload": "256K",
    "active_full": "mon-sun", "schedule": "continuously"}'
job nightly "$nightly"
job idle '{"repo": "r", "containers": ["here:"]}'
job wrong '{"repo": "r", "containers": ["here:"], "scheduel": "daily 22:00"}'

say "what is due runs; a wrong file is told once, and what mends it is seen"
begin 2026-06-01T21:59:58Z
sees "run of job nightly begins"
sees "run of job nightly has ended: success"
logged 1 "jobs/wrong.json: scheduel: unknown field"
job wrong "$nightly"
sees "job wrong is well again"
kill -HUP "$daemon"
try daemon --until-idle
equal "$rc" 2 "exit code of a second daemon"
warns "another daemon"
logged 1 "scheduel"
logged 0 "run of job idle"
logged 0 "run of job wrong"
rm "$OBJVAULT_HOME/jobs/wrong.json"
sees "job wrong is gone"

say "told to stop it ends its runs, and itself"
rm -r vms/web1/disk.raw
noise $((24 << 20)) 2 >vms/web1/disk.raw
job slow "$slow"
sees "run of job slow begins"
for ((i = 0; i < 600; i++)); do
    [ ! -s "$OBJVAULT_STATE/jobs/slow/lock" ] || break
    sleep 0.05
done
run=$(cut -d' ' -f1 "$OBJVAULT_STATE/jobs/slow/lock")
kill -TERM "$daemon"
rc=0
wait "$daemon" || rc=$?
equal "$rc" 0 "exit code"
sees "run of job slow has ended: stopped"
gone "$run"

say "killed, it takes its runs with it; the next closes them"
begin 2026-06-02T12:00:00Z
sees "run of job slow begins"
for ((i = 0; i < 600; i++)); do
    now=$(cut -d' ' -f1 "$OBJVAULT_STATE/jobs/slow/lock")
    [ -z "$now" ] || [ "$now" = "$run" ] || break
    sleep 0.05
done
sleep 0.3
# What is under way is no last run.
grep -qF 'status{job="slow",status="stopped"} 1' metrics || fail "$(cat metrics)"
grep -qF 'success{job="nightly"} 1' metrics || fail "$(cat metrics)"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
gone "$now"
rm "$OBJVAULT_HOME/jobs/slow.json"
job slow "${slow/\"repo\"/\"enabled\": false, \"repo\"}"
begin 2026-06-02T12:10:00Z --until-idle
rc=0
wait "$daemon" || rc=$?
equal "$rc" 0 "exit code"
logged 1 "job slow: its last run did not end"
logged 0 "begins;"

say "until idle: what was missed runs once"
begin 2026-06-02T23:10:00Z --until-idle
wait "$daemon" || fail "exit $?"
logged 1 "run of job nightly begins; it was due at 2026-06-02T22:00:00Z"
logged 1 "run of job nightly has ended: success"
begin 2026-06-02T23:12:00Z --until-idle
wait "$daemon" || fail "exit $?"
logged 0 "run of job"
