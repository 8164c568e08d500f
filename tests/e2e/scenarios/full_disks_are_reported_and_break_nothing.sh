# shellcheck shell=bash
# A target without space: exit 1, the file is named, nothing is left under the
# final name.  A repository without space: what is there stays whole.
# tags: full-disk
here=$PWD
cleanup() {
    umount "$here/tmpfs" 2>/dev/null || true
}
trap cleanup EXIT
mkdir tmpfs
mount -t tmpfs -o size=3m tmpfs tmpfs 2>/dev/null ||
    skip "needs the right to mount a small tmpfs (root)"

noise 5000000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw
refuses 1 restore disk "$point" disk.raw --repo r --to tmpfs/back.raw
says back.raw
says space
[ -z "$(ls tmpfs)" ] || fail "left behind: $(ls tmpfs)"
refuses 1 restore vm "$point" --repo r --to tmpfs/dir
says space
[ -z "$(find tmpfs -type f)" ] || fail "left behind: $(find tmpfs -type f)"
refuses 1 restore disk "$point" disk.raw --repo r --to tmpfs/back.qcow2 --format qcow2
rm -rf tmpfs/*

say "a repository on a full disk"
ov repo create tiny "file://$here/tmpfs/repo" --block-size 256K
noise 500000 2 >small.raw
ovj backup run small.raw --repo tiny
kept=$(field '.vms[0].point')
refuses 1 backup run disk.raw --repo tiny
says space
ov point verify "$kept" --repo tiny
ov restore disk "$kept" small.raw --repo tiny --to small-back.raw
same_disk small.raw small-back.raw
ovj point list --repo tiny
equal "$(field '.points | length')" 1 "points"
