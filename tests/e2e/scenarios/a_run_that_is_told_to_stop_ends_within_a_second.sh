# shellcheck shell=bash
# Ctrl-C ends whatever is under way within a second with exit 130: reading,
# compressing, waiting for a rate, a restore; on S3 also an upload, a download
# or a listing that stalls, and the waiting of an outage.  A backup says
# how much it stored, and that the next run uses it.
# tags: stop
# not-tsan: how long something takes means nothing there
most=2000 # milliseconds; the machine may be loaded
! under_sanitizer || most=6000

# interrupted SECONDS ARG...: runs objvault, interrupts it after so long and
# once there are as many block objects as $first says.
first=0
interrupted() {
    local after=$1 pid began took
    shift
    echo "\$ objvault $* ^C"
    env --default-signal=INT "$OBJVAULT" "$@" >"$out" 2>"$err" </dev/null &
    pid=$!
    sleep "$after"
    for ((i = 0; i < 400 && first > 0; i++)); do
        [ "$(objects ls plain/blocks/ | wc -l)" -lt "$first" ] || break
        sleep 0.05
    done
    began=${EPOCHREALTIME/./}
    kill -INT "$pid" 2>/dev/null || true
    rc=0
    wait "$pid" || rc=$?
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    no_sanitizer_report
    equal "$rc" 130 "exit code (it ended after $took ms)"
    say "ended $took ms after the signal: $(tail -n 1 "$err")"
    at_most "$took" "$most" "milliseconds until it ended"
    [ "$(grep -c . "$err")" -eq 1 ] || fail "not one line on stderr: $(cat "$err")"
    warns interrupted
}

# said_kept BEFORE: what the last run, with --json, says it stored, is what is
# there beside the BEFORE objects that were.
said_kept() {
    local kept new=$(($(objects ls plain/ | wc -l) - $1))
    one_document
    equal "$(field .error.code)" cancelled "error.code"
    kept=$(field '.vms[0].kept.objects')
    at_least "$new" "$kept" "objects that are there"
    on_s3 || equal "$new" "$kept" "objects kept"
    warns "kept: $kept objects"
    at_least "$kept" 1 "objects kept"
}

mkdir vm
noise $((60 << 20)) 2 >vm/disk.raw
text $((20 << 20)) 1 >>vm/disk.raw
make_repo

say "while blocks are compressed, as strongly as can be"
interrupted 1.5 backup run vm --repo r --compression extreme

say "while uploads wait for their rate"
before=$(objects ls plain/ | wc -l)
first=$((before + 2))
interrupted 0 --json backup run vm --repo r --limit-upload 8M
first=0
said_kept "$before"
kept=$(field '.vms[0].kept.objects')
stored=$(objects ls plain/blocks/ | wc -l)
backup vm
at_most "$(field '.vms[0].new_blocks')" $((20 - kept)) "blocks put by the next run"
on_s3 || equal "$(field '.vms[0].new_blocks')" $((20 - stored)) "blocks put"

say "while an image is read and hashed"
mkdir long
for ((i = 0; i < 10; i++)); do cat vm/disk.raw; done >long/disk.raw
interrupted 0.3 backup run long --repo r

say "in a restore: nothing is left under the final name"
backup long
interrupted 0.3 restore vm "$point" --repo r --to back
warns "complete in back: 0 disks, 0 files"
! compgen -G 'back/*' >/dev/null || fail "left: $(compgen -G 'back/*')"
interrupted 0.3 restore disk "$point" disk.raw --repo r --to half.raw
! compgen -G 'half.raw*' >/dev/null || fail "left: $(compgen -G 'half.raw*')"
rm -r long

say "in a restore to a pipe whose reader stalls"
mkfifo pipe
# shellcheck disable=SC2217 # it holds the pipe open, and never reads
sleep 30 <pipe &
reader=$!
env --default-signal=INT "$OBJVAULT" restore disk "$point" disk.raw --repo r \
    --to - >pipe 2>"$err" </dev/null &
pid=$!
sleep 1
began=${EPOCHREALTIME/./}
kill -INT "$pid"
rc=0
wait "$pid" || rc=$?
took=$(((${EPOCHREALTIME/./} - began) / 1000))
kill "$reader"
equal "$rc" 130 "exit code"
at_most "$took" "$most" "milliseconds until it ended"

say "the second Ctrl-C ends it at once"
env --default-signal=INT "$OBJVAULT" backup run vm --repo r --full --upload all \
    --compression extreme >"$out" 2>"$err" </dev/null &
pid=$!
sleep 1
kill -INT "$pid"
sleep 0.02
kill -INT "$pid" 2>/dev/null || true
rc=0
wait "$pid" || rc=$?
equal "$rc" 130 "exit code"

on_s3 || return 0
# keys_by_profile ARG...: interrupted with keys from the file `profile`.
keys_by_profile() (
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    export AWS_CONFIG_FILE=$PWD/profile
    interrupted "$@"
)
say "while a program that gives out keys is waited for"
printf '[default]\ncredential_process = sleep 30\n' >profile
keys_by_profile 0.5 backup run vm --repo r

say "while a server that gives out keys is silent"
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(60)' >silent &
giver=$!
for ((i = 0; i < 100; i++)); do
    [ ! -s silent ] || break
    sleep 0.05
done
echo identity >identity
(
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    export AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/identity AWS_ROLE_ARN=arn:x
    AWS_ENDPOINT_URL_STS=http://127.0.0.1:$(cat silent)
    export AWS_ENDPOINT_URL_STS
    interrupted 0.5 backup run vm --repo r
)
kill "$giver"

say "while keys are renewed in the middle of a run"
cat >process <<EOF
#!/bin/sh
if [ -e "$PWD/given" ]; then
    touch "$PWD/renews"
    exec sleep 40
fi
touch "$PWD/given"
printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s",
    "Expiration": "%s"}' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" \
    "\$(date -u -d '+302 seconds' +%FT%TZ)"
EOF
chmod 700 process
printf '[default]\ncredential_process = "%s/process"\n' "$PWD" >profile
keys_by_profile 4 backup run vm --repo r --full --upload all --limit-upload 4M
[ -e renews ] || fail "the keys were not renewed"
warns "kept: "

case $OBJVAULT_TEST_S3_ENDPOINT in
https:*) return 0 ;; # the certificate is not the proxy's
esac
echo pass >mode
python3 "$E2E/proxy.py" "${OBJVAULT_TEST_S3_ENDPOINT#http://}" mode >port &
proxy=$!
trap 'kill "$proxy"' EXIT
for ((i = 0; i < 100; i++)); do
    [ ! -s port ] || break
    sleep 0.05
done
ov repo attach slow "$URL" --endpoint "http://127.0.0.1:$(cat port)"

# bad_line MODE ARG...: interrupted half a second after the line turned bad.
bad_line() {
    local how=$1
    shift
    echo pass >mode
    (sleep 0.7 && echo "$how" >mode) &
    interrupted 1.5 "$@"
    wait $! || true
    echo pass >mode
}

more=(--repo slow --full --upload all --limit-upload 20M)
say "while uploads stall"
bad_line stall backup run vm "${more[@]}"
say "while the server is gone: in back-off"
bad_line refuse backup run vm "${more[@]}"
say "while a gateway says that the server is gone"
bad_line answer --json backup run vm "${more[@]}"
one_document
equal "$(field .error.code)" cancelled "error.code"
say "while a listing stalls, before anything is read"
echo "stall list-type" >mode
interrupted 1 backup run vm --repo slow --full
warns "nothing was stored yet"
say "while pages and the descriptor stall"
echo "stall /objvault.json" >mode
interrupted 1 backup run vm --repo slow
echo "stall /plain/pages/" >mode
interrupted 1 backup run vm --repo slow
say "while downloads stall: in a restore, in a verification"
echo "stall /plain/blocks/" >mode
interrupted 1 restore disk "$point" disk.raw --repo slow --to half.raw
! compgen -G 'half.raw*' >/dev/null || fail "left: $(compgen -G 'half.raw*')"
interrupted 1 point verify "$point" --repo slow
