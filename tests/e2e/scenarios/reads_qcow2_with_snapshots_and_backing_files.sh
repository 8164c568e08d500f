# shellcheck shell=bash
# qcow2 images: with an internal snapshot, with a backing file, compressed;
# what comes back is what the guest sees.
# tags: quick
need_qemu
guest() { # guest IMAGE RAW: what the guest sees
    qemu-img convert -O raw "$1" "$2"
}
noise 3000000 1 >seed.raw
truncate -s 20M seed.raw
mkdir vm
qemu-img convert -f raw -O qcow2 seed.raw vm/snap.qcow2
qemu-img snapshot -c before vm/snap.qcow2
qemu-io -f qcow2 -c 'write -P 7 1M 64k' vm/snap.qcow2 >/dev/null
qemu-img convert -f raw -O qcow2 -c seed.raw vm/base.qcow2
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 vm/top.qcow2
qemu-io -f qcow2 -c 'write -P 9 5M 100k' vm/top.qcow2 >/dev/null

make_repo --block-size 256K
backup vm
ovj point show "$point" --repo r
equal "$(field '[.point.disks[].name] | sort | join(" ")')" \
    "snap.qcow2 top.qcow2" "disks (a backing file is none of its own)"
ov restore vm "$point" --repo r --to back
for d in snap top; do
    guest vm/$d.qcow2 $d.raw
    same $d.raw back/$d.qcow2.raw
done

say "an increment of a qcow2 disk"
qemu-io -f qcow2 -c 'write -P 11 12M 4k' vm/top.qcow2 >/dev/null
backup vm
equal "$(field '.vms[0].new_blocks')" 1 "blocks put"
ov restore disk "$point" top.qcow2 --repo r --to top-again.raw
guest vm/top.qcow2 top.raw
same top.raw top-again.raw
