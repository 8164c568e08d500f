# shellcheck shell=bash
# No space for the index, from the beginning or from the middle of a run: the
# backup succeeds; what could not be noted is found by the next run.
# tags: full-disk
here=$PWD
trap 'umount "$here/tmpfs" 2>/dev/null || true' EXIT
mkdir tmpfs
mount -t tmpfs -o size=1m tmpfs tmpfs 2>/dev/null ||
    skip "needs the right to mount a small tmpfs (root)"
mkdir vm
noise 1500000 1 >vm/disk.raw
make_repo --block-size 256K
export OBJVAULT_STATE=$here/tmpfs/state

# left BYTES: fills the file system but for these.
left() {
    rm -f tmpfs/filler
    cat /dev/zero >tmpfs/filler 2>/dev/null || true
    truncate -s $(($(stat -c %s tmpfs/filler) - $1)) tmpfs/filler
}

say "full from the beginning"
left 0
backup vm
warns "state folder"
restored "$point" back vm

for room in 4096 20480 40960 65536 131072; do
    say "$room bytes are left"
    rm -rf tmpfs/*
    left $room
    noise 20000000 "$room" >vm/disk.raw
    backup vm
    ov point verify "$point" --repo r
    backup vm --full
    equal "$(field '.vms[0].new_blocks')" 0 "blocks put again"
done

say "space again"
rm -rf tmpfs/*
backup vm
equal "$(field '.vms[0].new_blocks')" 0 "blocks put"
[ -n "$(find tmpfs/state -name index.db)" ] || fail "there is no index"
restored "$point" back2 vm
