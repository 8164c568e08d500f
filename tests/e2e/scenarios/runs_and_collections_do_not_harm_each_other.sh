# shellcheck shell=bash
# Runs of two VMs, removals and collections in processes of their own, again and
# again: each point is whole, and what is left is needed. E2E_ROUNDS: how often.
rounds=${E2E_ROUNDS:-8}
mkdir one two
noise 2000000 1 >one/disk.raw
noise 2000000 1 >two/disk.raw # the same: their blocks are shared
make_repo --block-size 256K
backup one
backup two

collect() { # until somebody tells to stop
    while [ ! -e stop ]; do
        "$OBJVAULT" --quiet repo gc r --yes --wait 5s >gc.out 2>gc.err \
            </dev/null || [ $? -eq 3 ] || echo "gc: $(cat gc.err)" >>failed
        sleep 0.2
    done
}

collect &
collector=$!
for round in $(seq 1 "$rounds"); do
    pids=()
    for vm in one two; do
        # Old content comes back: it may be on its way out just now.
        noise 2000000 $((round % 3 + 1)) >$vm/disk.raw
        "$OBJVAULT" --json backup run $vm --repo r >run-$vm 2>err-$vm </dev/null &
        pids+=($!)
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
wait $collector
[ ! -e failed ] || fail "$(cat failed)"
ovj point list --repo r
equal "$(field '[.points[] | select(.state != "ok")] | length')" 0 "bad points"
for p in $(field '.points[].point'); do ov point verify "$p" --repo r; done
ovj repo gc r --yes
ov repo check r --level full
restored one@latest back-one one
restored two@latest back-two two
