# shellcheck shell=bash
# A disk of 3 GiB + 12,345 bytes, mostly a hole, with 300 MB of data in it.
# tags: big
# not-tsan: 300 MB through every layer takes minutes there; smaller disks pass the same code
size=$(((3 << 30) + 12345))
truncate -s $size disk.raw
poke disk.raw 0 100000000 1
text 100000000 2 | dd of=disk.raw bs=1M seek=1234567890 oflag=seek_bytes \
    iflag=fullblock conv=notrunc status=none
poke disk.raw $((size - 100000000)) 100000000 3

make_repo
backup disk.raw --vm big
at_most "$(field '.vms[0].read_bytes')" $((size / 8)) "bytes read (holes are not)"
restored_disk "$point" disk.raw back.raw disk.raw
