# shellcheck shell=bash
# Deduplication within the repository: a twin machine stores a manifest only.
# tags: quick
mkdir one two
noise 3000000 1 >one/disk.raw
cp one/disk.raw two/other-name.raw
make_repo --block-size 256K
backup one
backup two
equal "$(field '.vms[0].kind')" full "kind"
equal "$(field '.vms[0].new_blocks')" 0 "blocks put for the twin"
at_least "$(field '.vms[0].reused_blocks')" 12 "blocks reused"
restored "$point" back two

say "also from another machine, which has no index yet"
other_machine
attach_repo r
mkdir three
cp one/disk.raw three/disk.raw
backup three
equal "$(field '.vms[0].new_blocks')" 0 "blocks put by another machine"

say "and the same content twice within one disk is stored once"
noise 262144 9 >piece
mkdir four
cat piece piece piece piece piece piece piece piece >four/disk.raw
backup four
equal "$(field '.vms[0].new_blocks')" 1 "blocks of eight equal ones"
restored "$point" back4 four
