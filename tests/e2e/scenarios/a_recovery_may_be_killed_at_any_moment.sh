# shellcheck shell=bash
# repo recover is killed at random moments and run again until it ends: what it
# began is finished, and no point is lost meanwhile. E2E_KILLS: how often,
# else 100 times.
# tags: s3
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-locked/$(basename "$URL")-$$
kills=${E2E_KILLS:-100}

mkdir vm
noise 2500000 1 >vm/disk.raw
make_repo --block-size 256K --create-bucket --immutable 2h --generation 30m
backup vm
one=$point

left=$kills
seed=0
while [ "$left" -gt 0 ]; do
    seed=$((seed + 1))
    python3 "$E2E/attack.py" "$URL" $seed --lock-rubbish 20
    while [ "$left" -gt 0 ]; do
        ms=$((RANDOM % 400 + 10))
        rc=0
        timeout -s KILL "0.$(printf %03d $ms)" "$OBJVAULT" --json repo recover \
            r --yes >"$out" 2>"$err" </dev/null || rc=$?
        [ $rc -eq 137 ] || break
        left=$((left - 1))
        [ $((left % 5)) -ne 0 ] || restored "$one" "back-$left" vm
    done
    ovj repo recover r --yes
    equal "$(objects versions | grep -c '^marker' || true)" 0 "delete markers"
    restored "$one" "back-done-$seed" vm
    try --json repo check r --level full
    equal "$(field .hidden)" 0 "hidden objects"
done
backup vm --full
restored "$point" back vm
