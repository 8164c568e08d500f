# shellcheck shell=bash
# A disk restored as qcow2 holds what the raw one holds, and is sound.
# tags: quick
need_qemu
noise 2000000 1 >disk.raw
truncate -s 40M disk.raw
make_repo --block-size 256K
backup disk.raw
ov restore disk "$point" disk.raw --repo r --to back.qcow2 --format qcow2
equal "$(qemu-img info --output=json back.qcow2 | jq -r .format)" qcow2 format
qemu-img check -q back.qcow2
qemu-img compare -q -f raw -F qcow2 disk.raw back.qcow2
qemu-img convert -f raw -O qcow2 disk.raw reference.qcow2
equal "$(guest_data back.qcow2)" "$(guest_data reference.qcow2)" \
    "bytes that the qcow2 allocates"
! compgen -G 'back.qcow2?*' >/dev/null || fail "a partial file is left"
