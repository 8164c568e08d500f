# shellcheck shell=bash
# Two processes at once, with one configuration and one state folder, back up
# different VMs and then the same one: both succeed, and every point is whole.
# tags: quick
mkdir one two states
noise 6000000 1 >one/disk.raw
noise 3000000 1 >two/disk.raw # its first half is the other's
noise 3000000 2 >>two/disk.raw
make_repo --block-size 256K

# together PATH PATH: two runs at once; their points become $first and $second.
together() {
    local pids=() i=0 p
    for p; do
        i=$((i + 1))
        "$OBJVAULT" --json backup run "$p" --repo r >"out-$i" 2>"err-$i" \
            </dev/null &
        pids+=($!)
    done
    i=0
    for p in "${pids[@]}"; do
        i=$((i + 1))
        rc=0
        wait "$p" || rc=$?
        cp "out-$i" "$out"
        cp "err-$i" "$err"
        no_sanitizer_report
        equal "$rc" 0 "exit code of process $i"
        one_document
        equal "$(field .status)" success "status of process $i"
    done
    first=$(jq -r '.vms[0].point' out-1)
    second=$(jq -r '.vms[0].point' out-2)
}

# named VM: its points, with their digests.
named() {
    objects ls "plain/points/$1/" | sed -E \
        's|.*/(....)(..)(..)T(..)(..)(..)Z-(.*)\.json|'"$1"'@\1-\2-\3T\4:\5:\6Z-\7|'
}

for round in 1 2 3; do
    say "different VMs, round $round"
    together one two
    restored "$first" "back-1-$round" one
    restored "$second" "back-2-$round" two
    for vm in one two; do
        poke $vm/disk.raw $((round * 1000000)) 600000 $((round * 10))
    done
done
for round in 1 2 3; do
    say "the same VM, round $round"
    named one >named-before
    together one one
    # Points of one second are told apart by the digest in their names; where
    # both processes found the same to do, they are one point.
    named one | comm -13 named-before - >named-new
    at_least "$(wc -l <named-new)" 1 "new points"
    at_most "$(wc -l <named-new)" 2 "new points"
    [ "$first" = "$second" ] || equal "$(wc -l <named-new)" 2 "new points"
    while read -r p; do
        grep -qE "^(${first#*@}|${second#*@})-" <<<"${p#*@}" ||
            fail "no process told of the point $p"
        restored "$p" "back-$p" one
    done <named-new
    poke one/disk.raw $((round * 1000000)) 600000 $((round * 100))
done

ovj point list --repo r
equal "$(field '[.points[] | select(.state != "ok")] | length')" 0 \
    "points that are not ok"
at_least "$(field '.points | length')" 9 "points"
for p in $(named one) $(named two); do
    ov point verify "$p" --repo r
done

say "the index that both wrote claims nothing that is not there"
backup one --full
backup two --full
rm -rf "$OBJVAULT_STATE"
backup one --full
equal "$(field '.vms[0].new_blocks')" 0 "blocks put without the index"
