# shellcheck shell=bash
# kill -9 at 50 random moments (E2E_KILLS): what is visible stays whole, the
# next run succeeds and re-uses what was stored.
# tags: kill
kills=${E2E_KILLS:-50}
mkdir vm
noise 24000000 1 >vm/disk.raw
truncate -s 40M vm/disk.raw
make_repo --block-size 256K

started=$EPOCHREALTIME
ovj backup run vm --repo r
took=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
say "a run takes $took seconds"

count() { # blocks that the repository holds
    objects ls plain/blocks/ | wc -l
}

# goes_on VM: the next run after one that was killed succeeds, and puts no block
# that was stored.  (On S3, a put that was on its way when its sender died may
# be stored later than it is counted here.)
goes_on() {
    local stored new most
    stored=$(count)
    backup "$1"
    new=$(field '.vms[0].new_blocks')
    most=$(($(count) - stored))
    say "$stored blocks were stored, $most more are now, $new of them put"
    at_most "$new" "$most" "blocks put (the others were stored)"
    on_s3 || equal "$new" "$most" "blocks put"
}

RANDOM=${E2E_SEED:-$$}
say "seed ${E2E_SEED:-$$}"
killed=0
for ((i = 0; killed < kills && i < 5 * kills; i++)); do
    # New content in every round: there is something to put, in new places.
    poke vm/disk.raw $(((RANDOM * 32768 + RANDOM) % 20000000)) 3000000 $((i + 2))
    "$OBJVAULT" backup run vm --repo r >/dev/null 2>&1 </dev/null &
    pid=$!
    sleep "$(awk -v r="$RANDOM" -v t="$took" 'BEGIN { print r / 32768 * t }')"
    kill -9 "$pid" 2>/dev/null || true
    rc=0
    wait "$pid" 2>/dev/null || rc=$?
    if [ "$rc" -eq 137 ]; then
        killed=$((killed + 1))
    elif [ "$rc" -ne 0 ]; then
        fail "run $i was not killed, and exit $rc"
    fi
    ovj point list --repo r
    bad=$(field '[.points[] | select(.state != "ok")] | length')
    equal "$bad" 0 "points that are not ok after kill $i"
    [ $(((i + 1) % ((kills + 4) / 5))) -ne 0 ] || goes_on vm
done
equal "$killed" "$kills" "runs that were killed before their end"

goes_on vm
restored "$point" back vm
ovj point list --repo r
for p in $(field '.points[].point'); do
    ov point verify "$p" --repo r
done

say "a first run of a VM, killed on its way, is not begun anew"
mkdir fresh
noise 30000000 4242 >fresh/disk.raw
before=$(count)
# Slow enough to be caught where a listing takes seconds: a quarter of it is
# there after four seconds, the end comes after fifteen.
"$OBJVAULT" backup run fresh --repo r --limit-upload 2M >/dev/null 2>&1 </dev/null &
pid=$!
for ((i = 0; i < 600; i++)); do
    [ "$(count)" -lt $((before + 30)) ] || break
    sleep 0.02
done
kill -9 "$pid" || fail "the run was over before it could be killed"
wait "$pid" 2>/dev/null || true
stored=$(($(count) - before))
at_least "$stored" 30 "blocks stored by the killed run"
goes_on fresh
at_most "$(field '.vms[0].new_blocks')" $((115 - stored)) \
    "blocks put by the next run, of 115"
restored "$point" back-fresh fresh
