# shellcheck shell=bash
# Two hosts run jobs into one repository at the same time, with VMs that both
# have: those are never processed twice at once, what one has stored the other
# does not store again, and nothing is lost.
# tags: job
for n in 1 2 3 4; do
    mkdir -p src/vm$n
    { noise 1000000 1 && noise 500000 $((n + 10)); } >src/vm$n/disk.raw
done

# host NAME: what is said next is said on this machine.
host() {
    export OBJVAULT_HOME=$PWD/$1/home OBJVAULT_STATE=$PWD/$1/state
}

# job VM...: the host's job.
job() {
    mkdir -p "$OBJVAULT_HOME/jobs"
    printf '"lab:%s"\n' "$@" | jq -s '{ vms: ., repo: "r", parallel: 2 }' \
        >"$OBJVAULT_HOME/jobs/night.json"
}

host a
make_repo --block-size 256K
ov source add lab "dir:$PWD/src"
job vm1 vm2 vm3
host b
attach_repo r
ov source add lab "dir:$PWD/src"
job vm3 vm2 vm4

# both: each host runs its job, at the same time; both succeed.
both() {
    local name pids=()
    for name in a b; do
        host $name
        "$OBJVAULT" --json job run night >$name.json 2>$name.err </dev/null &
        pids+=($!)
    done
    for name in a b; do
        rc=0
        wait "${pids[0]}" || rc=$?
        pids=("${pids[@]:1}")
        cat $name.err
        equal "$rc" 0 "exit code of host $name"
        cp $name.json "$out"
        one_document
        equal "$(field .status)" success "status of host $name"
    done
}

sum() { # sum FILTER: over all VMs of both runs
    jq -s "[.[].vms[] | $1] | add" a.json b.json
}

# came_after VM: one of its two newest points is the other's parent, so its
# second run began after the first one had ended.
came_after() {
    ovj point list --repo r --vm "$1"
    equal "$(field '.points | sort_by(.time) | .[-2:] |
        if .[1].parent == null then "no" else "yes" end')" yes \
        "whether the second run of $1 saw the first"
    equal "$(field '[.points[] | select(.kind == "full")] | length')" 1 \
        "fulls of $1"
}

say "the first runs"
both
ovj point list --repo r
equal "$(field '.points | length')" 6 "points"
came_after vm2
came_after vm3
stored=$(objects ls plain/blocks/ | wc -l)
new=$(sum .new_blocks)
say "$stored blocks are there, $new were put"
at_most "$stored" $((4 + 4 * 3)) "blocks that are there"
at_most "$new" $((2 * stored)) "blocks that were put"

say "a change that both hosts have is put once"
for n in 1 2 3 4; do poke src/vm$n/disk.raw 300000 200000 77; done
noise 600000 55 >src/vm3/more.raw
both
came_after vm2
came_after vm3
ovj point list --repo r
equal "$(field '.points | length')" 12 "points"
for n in 1 2 3 4; do restored vm$n@latest second-$n src/vm$n; done
ov repo check r --level full

say "what one host has stored the other does not put again"
host a
job vm1 vm2 vm3 vm4
ovj job run night
equal "$(field '[.vms[].new_blocks] | add')" 0 "new blocks"
