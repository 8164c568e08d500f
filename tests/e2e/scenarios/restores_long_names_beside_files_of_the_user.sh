# shellcheck shell=bash
# Names as long as a file system takes them, and files of the user's beside the
# target that are named as partial files might be.
# tags: quick
long=$(printf 'n%.0s' {1..250})
mkdir vm
noise 600000 1 >"vm/disk.raw"
noise 400000 2 >"vm/${long:0:246}.raw"
echo notes >"vm/$long"
echo longest >"vm/$long-last"
make_repo --block-size 256K
backup vm
restored "$point" back vm
[ -z "$(find back -name '*part*')" ] || fail "left: $(find back -name '*part*')"
restored_disk "$point" "${long:0:246}.raw" alone.raw "vm/${long:0:246}.raw"
restored_disk "$point" disk.raw "$long.img" vm/disk.raw

say "files of the user"
echo mine >target.raw.part
mkdir dir
echo mine >dir/disk.raw.part
restored_disk "$point" disk.raw target.raw vm/disk.raw
equal "$(cat target.raw.part)" mine "the file beside the target"
ov restore vm "$point" --repo r --to dir
equal "$(cat dir/disk.raw.part)" mine "the file in the folder"
same_disk vm/disk.raw dir/disk.raw

say "also where the VM has such a file itself"
echo 'of the VM' >vm/disk.raw.part
echo 'of the VM' >vm/disk.raw.objvault-part
backup vm
restored "$point" back2 vm
