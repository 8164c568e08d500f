# shellcheck shell=bash
# kill -9 at random moments (E2E_KILLS: 200 on S3, else 50) of first runs,
# increments and restores, several side by side: what is visible stays whole,
# the next run succeeds and puts exactly what lacks, the next restore is whole.
# tags: kill
kills=${E2E_KILLS:-$(on_s3 && echo 200 || echo 50)}
lanes=4
RANDOM=${E2E_SEED:-$$}
say "seed ${E2E_SEED:-$$}"
base=$URL

# Blocks that are stored, once nothing is on its way any more: a put whose
# sender died may be carried out a moment later.
count() {
    local before now
    now=$(objects ls plain/blocks/ | wc -l)
    until [ "${before:-}" = "$now" ]; do
        before=$now
        ! on_s3 || sleep 0.1
        now=$(objects ls plain/blocks/ | wc -l)
    done
    echo "$now"
}

# goes_on VM: the next run succeeds, puts no block that was stored and all that
# was not, and its point is whole.
goes_on() {
    local stored new
    stored=$(count)
    backup "$1"
    new=$(field '.vms[0].new_blocks')
    say "$stored blocks were stored, $new more were put"
    equal "$new" $(($(count) - stored)) "blocks put, of those that lacked"
    ov point verify "$point" --repo r
}

# killed_at SECONDS ARG...: kills objvault at a random moment of so many
# seconds; false where it had ended by itself.
killed_at() {
    local pid
    local within=$1
    shift
    "$OBJVAULT" "$@" >/dev/null 2>&1 </dev/null &
    pid=$!
    sleep "$(awk -v r="$RANDOM" -v t="$within" 'BEGIN { print r / 32768 * t }')"
    kill -9 "$pid" 2>/dev/null || true
    rc=0
    wait "$pid" 2>/dev/null || rc=$?
    [ "$rc" -eq 0 ] || equal "$rc" 137 "exit code of a run that was not killed"
    [ "$rc" -ne 0 ]
}

# timed ARG...: how long objvault takes, in $took.
timed() {
    local from=$EPOCHREALTIME
    ov "$@"
    took=$(awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
}

all_ok() {
    ovj point list --repo r
    equal "$(field '[.points[] | select(.state != "ok")] | length')" 0 \
        "points that are not ok after a kill"
}

# killed_restore: the disk has its final name only when it is whole, and what a
# dead restore left does not disturb the next one.
killed_restore() {
    rm -f back.raw
    killed_at "$took_restore" restore disk "$point" disk.raw --repo r \
        --to back.raw || return 1
    [ ! -e back.raw ] || same good.raw back.raw
}

# lane N KILLS: in a folder, a repository and with a state of its own.
lane() {
    local want=$2 killed=0 i fresh=0 took_first took_next took_restore
    mkdir "lane$1"
    cd "lane$1" || exit 1
    export out=$PWD/.out err=$PWD/.err URL=$base/lane$1
    export OBJVAULT_HOME=$PWD/.config OBJVAULT_STATE=$PWD/.state
    RANDOM=$((${E2E_SEED:-$$} + $1))
    make_repo --block-size 256K
    mkdir vm
    noise 6000000 $((1000 * $1 + 1)) >vm/disk.raw
    truncate -s 10M vm/disk.raw
    timed backup run vm --repo r
    took_first=$took
    poke vm/disk.raw 1000000 1500000 $((1000 * $1 + 2))
    timed backup run vm --repo r
    took_next=$took
    backup vm
    cp vm/disk.raw good.raw
    timed restore disk "$point" disk.raw --repo r --to back.raw
    took_restore=$took
    say "first run $took_first s, increment $took_next s, restore $took_restore s"

    for ((i = 0; killed < want && i < 5 * want + 5; i++)); do
        case $((i % 5)) in
        0) # a VM that was never there, of new content
            mkdir "vm$i"
            noise 6000000 $((1000 * $1 + 10 + i)) >"vm$i/disk.raw"
            ! killed_at "$took_first" backup run "vm$i" --repo r ||
                killed=$((killed + 1))
            fresh=$i
            ;;
        1 | 2 | 3) # new content in every round: there is something to put
            poke vm/disk.raw $(((RANDOM * 32768 + RANDOM) % 5000000)) 1500000 \
                $((1000 * $1 + 10 + i))
            ! killed_at "$took_next" backup run vm --repo r ||
                killed=$((killed + 1))
            ;;
        4)
            ! killed_restore || killed=$((killed + 1))
            ;;
        esac
        all_ok
        if [ $((i % 10)) -eq 9 ]; then
            goes_on "vm$fresh"
            rm -r "vm$fresh"
            goes_on vm
            cp vm/disk.raw good.raw
            rm -f back.raw
            restored_disk "$point" disk.raw back.raw good.raw
        fi
    done
    equal "$killed" "$want" "runs that were killed before their end"
    goes_on vm
    restored "$point" back vm
    ovj point list --repo r
    for p in $(field '.points[].point'); do
        ov point verify "$p" --repo r
    done
}

pids=()
for ((n = 0; n < lanes; n++)); do
    (lane "$n" $(((kills + lanes - 1) / lanes))) >"lane$n.log" 2>&1 &
    pids+=($!)
done
bad=0
for ((n = 0; n < lanes; n++)); do
    wait "${pids[$n]}" || bad=$((bad + 1))
    sed "s/^/$n: /" "lane$n.log" | grep -v '\$ ' || true
done
[ $bad -eq 0 ] || fail "$bad of $lanes lanes: $(sed -n 's/^FAIL: //p' lane*.log | head -n 1)"
