# shellcheck shell=bash
# A changed sector is stored as the 64th of a block that it lies in, however
# often that happens; a restore reads two objects for such a block, not a chain;
# and nothing depends on the fingerprints in the state folder.
# tags: quick
unit=$((64 << 10))
mkdir vm
noise $((24 << 20)) 1 >vm/disk.raw
make_repo
backup vm
backup vm
equal "$(field '.vms[0].stored_bytes')" 0 "bytes of an unchanged run"

say "two sectors of one block, one of another"
poke vm/disk.raw 512 512 2
poke vm/disk.raw $((20 * unit + 1024)) 512 3
poke vm/disk.raw $((9 << 20)) 512 4
backup vm
equal "$(field '.vms[0].new_blocks')" 2 "objects"
at_most "$(field '.vms[0].stored_bytes')" $((3 * unit + 4096)) "bytes"

say "a chain of changes in one block"
for i in $(seq 1 8); do
    poke vm/disk.raw $((i * unit + 4096)) 512 $((10 + i))
    backup vm
    at_most "$(field '.vms[0].stored_bytes')" $(((i + 2) * unit + 4096)) "bytes"
done
ovj point verify "$point"
ovj restore disk "$point" disk.raw --to back.raw
same vm/disk.raw back.raw
at_most "$(field '.fetched_blocks')" 8 "objects read for six blocks"

say "without the state folder nothing is stored again"
rm -rf "$OBJVAULT_STATE"
backup vm
equal "$(field '.vms[0].new_blocks')" 0 "objects"
poke vm/disk.raw $((3 * unit)) 512 30
backup vm
at_most "$(field '.vms[0].stored_bytes')" $((10 * unit + 4096)) "bytes"
restored "$point" again vm
