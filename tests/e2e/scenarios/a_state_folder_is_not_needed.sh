# shellcheck shell=bash
# A state folder that cannot be used costs a warning and a listing: the backup
# succeeds, and puts nothing twice.
# tags: quick
mkdir vm
noise 1500000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm

say "a file is in its place"
echo 'no folder' >state-file
export OBJVAULT_STATE=$PWD/state-file
poke vm/disk.raw 0 10 2
backup vm
warns "state folder"
equal "$(field '.vms[0].kind')" incremental "kind"
equal "$(field '.vms[0].new_blocks')" 1 "blocks put"
equal "$(cat state-file)" 'no folder' "the file"
restored "$point" back vm

say "the index cannot be a file"
export OBJVAULT_STATE=$PWD/.state
index=$(find "$OBJVAULT_STATE" -name index.db)
[ -f "$index" ] || fail "there is no index at $index"
rm -f "$index"*
mkdir -p "$index/in-the-way"
backup vm --full
warns "state folder"
equal "$(field '.vms[0].new_blocks')" 0 "blocks put"
ov point verify "$point" --repo r

say "rubbish in its place is thrown away"
rm -r "$index"
noise 100000 5 >"$index"
backup vm --full
equal "$(field '.vms[0].new_blocks')" 0 "blocks put"
ov point verify "$point" --repo r
