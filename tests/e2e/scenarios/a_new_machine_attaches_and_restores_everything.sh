# shellcheck shell=bash
# The bucket is all that is needed: without the local state, and from another
# machine's home, every point is listed and restored; runs go on.
# tags: quick
mkdir vm states
noise 2000000 1 >vm/disk.raw
echo one >vm/notes
make_repo --block-size 256K
for i in 1 2 3; do
    backup vm
    cp -r vm "states/$i"
    echo "$point" >"states/$i.point"
    poke vm/disk.raw $((i * 500000)) 100 $((i + 10))
    echo "$i" >vm/notes
done

say "the state folder is lost"
rm -rf "$OBJVAULT_STATE"
backup vm
equal "$(field '.vms[0].kind')" incremental "kind without the local state"
at_most "$(field '.vms[0].new_blocks')" 2 "blocks put without the local state"

say "another machine"
other_machine
attach_repo again
ovj point list
equal "$(field '.points | length')" 4 "points listed"
equal "$(field '[.points[].state] | unique | join(" ")')" ok "their state"
for i in 1 2 3; do
    p=$(cat "states/$i.point")
    ov restore vm "$p" --to "back-$i"
    same_tree "states/$i" "back-$i"
    ov point verify "$p"
done
ovj backup run vm --repo again
equal "$(field '.vms[0].kind')" incremental "kind on another machine"
equal "$(field '.vms[0].new_blocks')" 0 "blocks put on another machine"
