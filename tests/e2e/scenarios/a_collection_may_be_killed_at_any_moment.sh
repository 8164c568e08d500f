# shellcheck shell=bash
# repo gc is killed at random moments and run again until it ends: what it began
# is finished, and nothing that a point needs is lost. E2E_KILLS: how often.
kills=${E2E_KILLS:-30}
mkdir vm
noise 2500000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm

# Nothing of a killed process is under way here: its mark need not run out.
forget_marks() {
    local key
    for key in $(objects ls gc/sweeps/); do objects rm "$key"; done
}

left=$kills
seed=1
while [ "$left" -gt 0 ]; do
    seed=$((seed + 1))
    before=$point
    noise 2500000 $seed >vm/disk.raw
    backup vm
    ov point delete "$before" --repo r --yes
    while [ "$left" -gt 0 ]; do
        ms=$((RANDOM % 150 + 5))
        rc=0
        timeout -s KILL "0.$(printf %03d $ms)" "$OBJVAULT" --json repo gc r \
            --yes >"$out" 2>"$err" </dev/null || rc=$?
        ! on_s3 || forget_marks
        [ $rc -eq 137 ] || break
        left=$((left - 1))
    done
    [ "$rc" -eq 0 ] || [ "$rc" -eq 137 ] || fail "repo gc: exit $rc"
    ovj repo gc r --yes
    equal "$(objects ls plain/blocks/ | wc -l)" 10 "blocks after collection $seed"
    ov point verify "$point" --repo r
done
restored "$point" back vm
ov repo check r --level full
ovj repo gc r --yes
equal "$(field '.garbage.objects')" 0 "garbage at the end"
