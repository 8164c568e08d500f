# shellcheck shell=bash
# Sizes 0, 1 byte, one block and one block minus and plus one byte, at the
# default block size of 4 MiB; as disks of one VM, and one restored alone.
# tags: quick
block=$((4 << 20))

mkdir vm
for size in 0 1 511 $((block - 1)) $block $((block + 1)) $((2 * block + 7)); do
    noise "$size" "$size" >"vm/of-$size.raw"
done
make_repo
backup vm
restored "$point" back vm
restored_disk "$point" "of-$((block + 1)).raw" alone.raw \
    "vm/of-$((block + 1)).raw"
ov point verify "$point" --repo r

say "an image file given alone is a VM of its own"
backup "vm/of-$block.raw"
equal "${point%@*}" "of-$block" "the VM's name"
restored_disk "$point" "of-$block.raw" file.raw "vm/of-$block.raw"
