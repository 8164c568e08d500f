# shellcheck shell=bash
# MinIO itself is killed (SIGKILL) at random moments of backups and restores
# (E2E_SERVER_KILLS of each), and started again on its port and data a moment
# later: the run carries on, and what it made verifies.
# tags: s3 kill
kills=${E2E_SERVER_KILLS:-4}
server=$E2E/../../minio-test/server.sh
unset OBJVAULT_TEST_S3_ENDPOINT OBJVAULT_TEST_S3_CA
[ -x "${OBJVAULT_TEST_MINIO:-}" ] || skip "no MinIO that could be killed"
"$server" start "$PWD/minio" >server.env
trap '"$server" stop "$PWD/minio"' EXIT
. ./server.env
export AWS_ACCESS_KEY_ID=$OBJVAULT_TEST_S3_ACCESS_KEY
export AWS_SECRET_ACCESS_KEY=$OBJVAULT_TEST_S3_SECRET_KEY
export URL=s3://killed/repo
objects make
# shellcheck disable=SC2034 # for make_repo
store=(--endpoint "$OBJVAULT_TEST_S3_ENDPOINT")
make_repo --block-size 256K

RANDOM=${E2E_SEED:-$$}
say "seed ${E2E_SEED:-$$}"
random() { # random SECONDS: up to so many
    awk -v r="$RANDOM" -v s="$1" 'BEGIN { print r / 32768 * s }'
}

# meanwhile WITHIN: the server is killed at a random moment of the next so many
# seconds, and is there again up to 1.5 s after that.  $down: whether the run
# $pid was still under way.
meanwhile() {
    sleep "$(random "$1")"
    down=no
    "$server" kill "$PWD/minio"
    ! kill -0 "$pid" 2>/dev/null || down=yes
    sleep "$(random 1.5)"
    "$server" again "$PWD/minio" >server.env
    rc=0
    wait "$pid" || rc=$?
}

mkdir vm
noise 24000000 1 >vm/disk.raw
truncate -s 40M vm/disk.raw
caught=0
for ((i = 0; i < kills; i++)); do
    poke vm/disk.raw $((i * 5000000)) 4000000 $((i + 10))
    "$OBJVAULT" --json backup run vm --repo r --limit-upload 8M \
        >"$out" 2>"$err" </dev/null &
    pid=$!
    # The first run takes three seconds by its rate, the others half of one.
    meanwhile $((i == 0 ? 3 : 1))
    [ $down = no ] || caught=$((caught + 1))
    equal "$rc" 0 "exit code of backup $i"
    point=$(field '.vms[0].point')
    say "backup $i went on: $down, $(field '.vms[0].requests.put') puts of" \
        "$(field '.vms[0].new_blocks') blocks"
    ov point verify "$point" --repo r
done
at_least "$caught" 1 "backups during which the server was down"
restored "$point" back vm

caught=0
mkdir big
for ((i = 0; i < 12; i++)); do cat vm/disk.raw; done >big/disk.raw
poke big/disk.raw 0 60000000 7
backup big
for ((i = 0; i < kills; i++)); do
    rm -rf back-big
    "$OBJVAULT" restore vm "$point" --repo r --to back-big \
        >"$out" 2>"$err" </dev/null &
    pid=$!
    meanwhile 1
    [ $down = no ] || caught=$((caught + 1))
    say "restore $i went on: $down"
    equal "$rc" 0 "exit code of restore $i"
    same_tree big back-big
done
at_least "$caught" 1 "restores during which the server was down"
ovj point list --repo r
equal "$(field '[.points[] | select(.state != "ok")] | length')" 0 "bad points"
