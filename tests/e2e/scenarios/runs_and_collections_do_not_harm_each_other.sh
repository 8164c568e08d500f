# shellcheck shell=bash
# Runs of two VMs on two machines, removals and two collectors, in processes of
# their own, again and again: each point is whole, and what is left is needed.
# E2E_ROUNDS: how often.
rounds=${E2E_ROUNDS:-8}
mkdir one two
noise 2000000 1 >one/disk.raw
noise 2000000 1 >two/disk.raw # the same: their blocks are shared
make_repo --block-size 256K
backup one
backup two

home=$OBJVAULT_HOME state=$OBJVAULT_STATE
other_machine # with an index of its own
attach_repo r
home2=$OBJVAULT_HOME state2=$OBJVAULT_STATE

collect() { # collect HOME STATE: until somebody tells to stop
    local me=$BASHPID
    export OBJVAULT_HOME=$1 OBJVAULT_STATE=$2
    while [ ! -e stop ]; do
        "$OBJVAULT" --json repo gc r --yes --wait 5s >"gc-$me.out" \
            2>"gc-$me.err" </dev/null || [ $? -eq 3 ] ||
            echo "gc: $(cat "gc-$me.err")" >>failed
        jq .deleted.objects "gc-$me.out" >>collected
        sleep 0.2
    done
}

collect "$home" "$state" &
collectors=($!)
collect "$home2" "$state2" &
collectors+=($!)
export OBJVAULT_HOME=$home OBJVAULT_STATE=$state
for round in $(seq 1 "$rounds"); do
    pids=()
    for vm in one two; do
        # Old content comes back: it may be on its way out just now.
        noise 2000000 $((round % 3 + 1)) >$vm/disk.raw
        [ $vm = one ] || export OBJVAULT_HOME=$home2 OBJVAULT_STATE=$state2
        "$OBJVAULT" --json backup run $vm --repo r >run-$vm 2>err-$vm </dev/null &
        pids+=($!)
        export OBJVAULT_HOME=$home OBJVAULT_STATE=$state
    done
    for p in "${pids[@]}"; do
        wait "$p" || fail "a run failed: $(cat err-one err-two)"
    done
    for vm in one two; do
        ov point verify "$(jq -r '.vms[0].point' run-$vm)" --repo r
    done
    ovj point list --repo r
    # Any but the newest of a VM.
    for p in $(field '[.points | group_by(.vm)[] | .[:-1][]] | .[].point' |
        shuf -n 2); do
        try point delete "$p" --repo r --yes
    done
done
touch stop
wait "${collectors[@]}"
[ ! -e failed ] || fail "$(cat failed)"
verify_all
ovj repo gc r --yes
field .deleted.objects >>collected
at_least "$(awk '{ n += $1 } END { print n }' collected)" 20 \
    "objects that were collected"
holds_live_set
ov repo check r --level full
restored one@latest back-one one
restored two@latest back-two two
