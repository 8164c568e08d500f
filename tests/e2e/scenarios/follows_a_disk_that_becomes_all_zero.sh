# shellcheck shell=bash
# A disk that became all zero, by writing zeros and by punching a hole, and
# then got data again.
# tags: quick
mkdir vm a b c
make_repo --block-size 256K
noise 2000000 1 >vm/disk.raw
backup vm
full=$point
cp vm/disk.raw a/
blank vm/disk.raw 0 2000000
backup vm
zeros=$point
equal "$(field '.vms[0].new_blocks')" 0 "blocks put for zeros"
cp vm/disk.raw b/
fallocate --punch-hole --offset 0 --length 1966080 vm/disk.raw
backup vm
hole=$point
poke vm/disk.raw 300000 10 2
cp vm/disk.raw c/
backup vm
restored "$full" back-a a
restored "$zeros" back-b b
restored "$hole" back-b2 b
restored "$point" back-c c
