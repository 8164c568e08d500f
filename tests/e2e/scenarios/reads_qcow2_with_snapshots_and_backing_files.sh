# shellcheck shell=bash
# qcow2 images: with an internal snapshot, with a backing file, compressed;
# what comes back is what the guest sees.
# tags: quick
need_qemu
noise 3000000 1 >seed.raw
truncate -s 20M seed.raw
mkdir vm
qemu-img convert -f raw -O qcow2 seed.raw vm/snap.qcow2
qemu-img snapshot -c before vm/snap.qcow2
qemu-io -f qcow2 -c 'write -P 7 1M 64k' vm/snap.qcow2 >/dev/null
qemu-img convert -f raw -O qcow2 -c seed.raw vm/base.qcow2
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 vm/top.qcow2
qemu-io -f qcow2 -c 'write -P 9 5M 100k' vm/top.qcow2 >/dev/null

data=$(($(guest_data vm/snap.qcow2) + $(guest_data vm/top.qcow2)))
at_most "$data" 8000000 "bytes of data in the images (the test's own)"
make_repo --block-size 256K
backup vm
at_most "$(field '.vms[0].read_bytes')" "$data" \
    "bytes read (what is not allocated is not)"
ovj point show "$point" --repo r
equal "$(field '[.point.disks[].name] | sort | join(" ")')" \
    "snap.qcow2 top.qcow2" "disks (a backing file is none of its own)"
ov restore vm "$point" --repo r --to back
for d in snap top; do
    guest vm/$d.qcow2 $d.raw
    same_disk $d.raw back/$d.qcow2.raw
done

say "an increment of a qcow2 disk"
qemu-io -f qcow2 -c 'write -P 11 12M 4k' vm/top.qcow2 >/dev/null
backup vm
equal "$(field '.vms[0].new_blocks')" 1 "blocks put"
guest vm/top.qcow2 top.raw
restored_disk "$point" top.qcow2 top-again.raw top.raw

say "an image that grew, that got zeros, and one of a block that has no data"
qemu-img resize -q vm/top.qcow2 30M
qemu-io -f qcow2 -c 'write -z 1M 512k' -c 'write -P 0 2M 64k' \
    -c 'write -P 13 29M 12k' vm/top.qcow2 >/dev/null
qemu-img create -q -f qcow2 vm/empty.qcow2 50M
data=$(($(guest_data vm/snap.qcow2) + $(guest_data vm/top.qcow2)))
backup vm
at_most "$(field '.vms[0].read_bytes')" "$data" "bytes read"
for d in top empty; do
    guest vm/$d.qcow2 $d.raw
    restored_disk "$point" $d.qcow2 $d-grown.raw $d.raw
done
equal "$(allocated empty-grown.raw)" 0 "bytes that the empty disk takes"
