# shellcheck shell=bash
# shellcheck disable=SC2034 # variables are for the scenarios
# What end-to-end scenarios are written with.  run.sh sources this and then one
# scenario in a process of its own, in an empty folder ($PWD), with a home and a
# state folder of its own and a URL ($URL) below which nothing is yet.
set -euo pipefail

out=$PWD/.out # stdout of the last command
err=$PWD/.err # stderr of the last command
rc=0          # its exit code

say() {
    echo "# $*"
}

# The scenario ends here, and has failed.
fail() {
    echo "FAIL: $*"
    if [ -s "$err" ]; then
        echo "-- stderr of the last command:"
        tail -n 20 "$err"
    fi
    exit 1
}

# The scenario cannot be played here; counted, with its reason.
skip() {
    echo "SKIP: $*"
    exit 77
}

on_s3() {
    [ "${URL%%:*}" = s3 ]
}

under_sanitizer() {
    [ -n "${E2E_SANITIZER:-}" ]
}

# try ARG...: runs objvault, whatever comes of it: $rc, $out, $err.
try() {
    echo "\$ objvault $*"
    rc=0
    "$OBJVAULT" "$@" >"$out" 2>"$err" </dev/null || rc=$?
    no_sanitizer_report
}

no_sanitizer_report() {
    if grep -qE 'Sanitizer|runtime error:' "$err"; then
        cat "$err"
        fail "a sanitizer found something"
    fi
    [ "$rc" -lt 128 ] || [ "$rc" -eq 130 ] || fail "ended by a signal ($rc)"
}

# ov ARG...: runs objvault and expects success.
ov() {
    try "$@"
    [ "$rc" -eq 0 ] || fail "objvault $* : exit $rc"
}

# field FILTER: what jq finds in the one JSON document of the last command.
field() {
    jq -r "$1" "$out"
}

one_document() {
    local n
    n=$(jq -s length "$out" 2>/dev/null) || fail "stdout is no JSON"
    [ "$n" = 1 ] || fail "stdout holds $n JSON documents"
}

# ovj ARG...: the same with --json; stdout must be one document that says ok.
ovj() {
    ov --json "$@"
    one_document
    [ "$(field .ok)" = true ] || fail "success without \"ok\": true"
}

# refuses EXIT ARG...: expects this exit code and one line on stderr; then the
# same with --json: one document that says the same.
refuses() {
    local want=$1 lines
    shift
    try "$@"
    [ "$rc" -eq "$want" ] || fail "objvault $* : exit $rc, not $want"
    lines=$(grep -c . "$err" || true)
    [ "$lines" -eq 1 ] || fail "objvault $* : $lines lines on stderr, not one"
    said=$(cat "$err")
    try --json "$@"
    [ "$rc" -eq "$want" ] || fail "with --json: exit $rc, not $want"
    one_document
    [ "$(field .ok)" = false ] || fail "a failure without \"ok\": false"
    [ "$(field .error.exit)" = "$want" ] || fail "error.exit: $(field .error)"
    [ -n "$(field '.error.code // ""')" ] || fail "no error.code"
    [ -n "$(field '.error.message // ""')" ] || fail "no error.message"
}

# says TEXT: the line of the last `refuses` holds TEXT.
says() {
    [[ $said == *"$1"* ]] || fail "the message does not name '$1': $said"
}

equal() { # equal GOT WANTED WHAT
    [ "$1" = "$2" ] || fail "$3: $1, expected $2"
}

at_least() { # at_least GOT LEAST WHAT
    [ "$1" -ge "$2" ] || fail "$3: $1, expected at least $2"
}

at_most() { # at_most GOT MOST WHAT
    [ "$1" -le "$2" ] || fail "$3: $1, expected at most $2"
}

# same A B: the files are equal byte for byte.
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

# The store's options for `repo create` and `repo attach`.
store=()
if on_s3; then
    store+=(--endpoint "$OBJVAULT_TEST_S3_ENDPOINT")
    if [ -n "${OBJVAULT_TEST_S3_CA:-}" ]; then
        store+=(--ca "$OBJVAULT_TEST_S3_CA")
    fi
fi

# make_repo [OPTION...]: creates the repository "r" at $URL.
make_repo() {
    ov repo create r "$URL" "${store[@]}" "$@"
}

# attach_repo NAME: an existing one at $URL.
attach_repo() {
    ov repo attach "$1" "$URL" "${store[@]}"
}

# backup PATH [OPTION...]: one run; leaves the point's name in $point.
backup() {
    ovj backup run "$@" --repo r
    equal "$(field .status)" success "status of the run"
    point=$(field '.vms[0].point')
    [ -n "$point" ] && [ "$point" != null ] || fail "the run made no point"
}

# backup_warned PATH [OPTION...]: the same, of a run that has its point and a
# warning (exit 3).
backup_warned() {
    try --json backup run "$@" --repo r
    equal "$rc" 3 "exit code of a run with a warning"
    one_document
    equal "$(field '"\(.ok) \(.status) \(.vms[0].status)"')" \
        "true warning warning" "ok and status"
    point=$(field '.vms[0].point')
    [ -n "$point" ] && [ "$point" != null ] || fail "the run made no point"
}

# A home and a state as those of a machine that never saw the repository.
other_machine() {
    local dir
    dir=$(mktemp -d "$PWD/.home.XXXX")
    export OBJVAULT_HOME=$dir/config OBJVAULT_STATE=$dir/state
}

objects() { # objects VERB ARG...: past objvault (objects.py)
    python3 "$E2E/objects.py" "$URL" "$@"
}

# noise BYTES SEED: bytes that do not compress, the same for the same seed.
noise() {
    openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$2")" \
        -iv "$(printf '%032x' 1)" -in /dev/zero 2>/dev/null | head -c "$1" || true
}

# text BYTES SEED: bytes that compress about four to one.
text() {
    noise $(($1 / 2 + 1)) "$2" | od -An -v -tx1 | tr -d '\n' | head -c "$1" || true
}

# poke FILE OFFSET BYTES SEED: overwrites a part with noise.
poke() {
    noise "$3" "$4" | dd of="$1" bs=1M seek="$2" oflag=seek_bytes \
        iflag=fullblock conv=notrunc status=none
}

# blank FILE OFFSET BYTES: overwrites a part with zeros that are written.
blank() {
    head -c "$3" /dev/zero | dd of="$1" bs=1M seek="$2" oflag=seek_bytes \
        iflag=fullblock conv=notrunc status=none
}

allocated() { # bytes on disk
    echo $(($(stat -c %b "$1") * $(stat -c %B "$1")))
}

# holes_kept SOURCE RESTORED: allocated at most 1 % more than the source.
holes_kept() {
    local a b
    sync "$1" "$2" # what is not written yet has not got its metadata yet
    a=$(allocated "$1")
    b=$(allocated "$2")
    [ $((b * 100)) -le $((a * 101)) ] ||
        fail "$2 takes $b bytes on disk, $1 only $a"
}

# same_disk SOURCE RESTORED: equal, and with the source's holes.
same_disk() {
    same "$1" "$2"
    holes_kept "$1" "$2"
}

# same_tree SOURCE RESTORED: the same of every file of two folders.
same_tree() {
    local f
    diff -r "$1" "$2" || fail "$2 is not $1"
    while IFS= read -r -d '' f; do
        holes_kept "$1/$f" "$2/$f"
    done < <(find "$2" -type f -printf '%P\0')
}

# restored POINT DIR SOURCE: the point, restored into DIR, is SOURCE (a folder
# of raw images and files).
restored() {
    ov restore vm "$1" --repo r --to "$2"
    same_tree "$3" "$2"
}

# restored_disk POINT DISK FILE SOURCE: one disk of the point, restored to FILE,
# is SOURCE.
restored_disk() {
    ov restore disk "$1" "$2" --repo r --to "$3"
    same_disk "$4" "$3"
}

# guest IMAGE RAW: what a guest sees in a qcow2 image, as a raw file without a
# byte that it need not have.
guest() {
    qemu-img convert -S 4k -f qcow2 -O raw "$1" "$2"
}

# guest_data IMAGE: bytes of an image that are allocated, in it or in its
# backing files, and not known to be zero.
guest_data() {
    qemu-img map --output=json "$1" |
        jq '[.[] | select(.data and (.zero | not)).length] | add // 0'
}

# warns TEXT: stderr of the last command holds TEXT.
warns() {
    grep -q -- "$1" "$err" || fail "stderr does not say '$1': $(cat "$err")"
}

need_qemu() {
    command -v qemu-img >/dev/null || skip "qemu-img is not installed"
}

# own_s3: starts the S3 server of the tests, which can be told to fail; $endpoint.
# It ends with the scenario, whose end closes its stdin.
own_s3() {
    local program
    program=$(dirname "$OBJVAULT")/../tests/s3server/s3server
    [ -x "$program" ] || skip "the S3 server of the tests is not built"
    coproc OWN_S3 { exec "$program"; }
    read -r endpoint <&"${OWN_S3[0]}" || fail "the S3 server did not start"
    export AWS_ACCESS_KEY_ID=AKIDS3SERVER AWS_SECRET_ACCESS_KEY=s3server/secret+key
}

# tell WORD...: a line to that server (tests/s3server/main.c); its answer in $told.
tell() {
    echo "$*" >&"${OWN_S3[1]}"
    read -r told <&"${OWN_S3[0]}" || fail "the S3 server has ended at: $*"
}

# holds_live_set: what is stored is what the points need, by an independent
# reading of them: each name once, and where versions are kept one version of
# each and no delete marker. Below gc/ nothing is left but the sweep counter.
holds_live_set() {
    local have
    objects live >.live || fail "something that a point needs is not there"
    if on_s3; then
        have=$(objects versions | grep -vx 'version gc/counter' |
            sed 's/^version //')
    else # ... and the files that runs and collections lock
        have=$(objects ls | grep -vxE 'gc/(counter|lock)')
    fi
    diff .live - <<<"$have" || fail "not the live set"
}

# verify_all: every point is whole, each object of it read.
verify_all() {
    local p
    ovj point list --repo r
    equal "$(field '[.points[] | select(.state | . != "ok" and . != "expired")]
        | length')" 0 "points that are not whole"
    for p in $(field '.points[].point'); do
        ov point verify "$p" --repo r
    done
}

# killed_within MS ARG...: kills objvault at a random moment of so many
# milliseconds; false where it had ended by itself, with $rc.
killed_within() {
    local pid ms=$((RANDOM % $1 + 2))
    shift
    rc=0
    "$OBJVAULT" "$@" >"$out" 2>"$err" </dev/null &
    pid=$!
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || rc=$?
    [ "$rc" -eq 137 ]
}

# own_kms NAME: starts a KMIP server, which ends with the scenario, and
# configures it under this name.
own_kms() {
    local kms=$E2E/../../kms-test
    "$kms/server.sh" find 2>/dev/null || skip "no KMIP server is installed"
    [ -d pki ] || "$kms/pki.sh" "$PWD/pki" >/dev/null 2>&1 || fail "no certificates"
    trap stop_kms EXIT
    "$kms/server.sh" start "$PWD/kms-$1" "$PWD/pki" >/dev/null || fail "no key server"
    ov kms add "$1" --server "127.0.0.1:$(cat "kms-$1/port")" --ca pki/ca.crt \
        --cert pki/client.crt --key pki/client.key
}

stop_kms() {
    local dir
    for dir in "$PWD"/kms-*; do "$E2E/../../kms-test/server.sh" stop "$dir"; done
}

# kms_keys NAME STATE: identifiers of its keys in this state (active, revoked), in
# their order (PyKMIP keeps them in a database).
kms_keys() {
    python3 -c 'import sqlite3, sys
print(" ".join(str(row[0]) for row in sqlite3.connect(sys.argv[1]).execute(
    "SELECT uid FROM crypto_objects WHERE state = ? ORDER BY uid",
    ({"active": 2, "revoked": 3}[sys.argv[2]],))))' "kms-$1/pykmip.db" "$2"
}
