# shellcheck shell=bash
# A VM of three disks and two files, one in a sub-folder, is one point; its
# files come back with their permissions.
# tags: quick
mkdir -p web01/nvram
noise 700000 1 >web01/system.img
text 900000 2 >web01/data.raw
truncate -s 5M web01/swap.raw
echo '<domain type="kvm"><name>web01</name></domain>' >web01/web01.xml
noise 131072 3 >web01/nvram/OVMF_VARS.fd
chmod 600 web01/nvram/OVMF_VARS.fd
chmod 644 web01/web01.xml

make_repo --block-size 256K
backup web01
equal "${point%@*}" web01 "the VM's name"
restored "$point" back web01
equal "$(stat -c %a back/nvram/OVMF_VARS.fd)" 600 "mode of the NVRAM"
equal "$(stat -c %a back/web01.xml)" 644 "mode of the configuration"

ovj point show "$point" --repo r
equal "$(field '[.point.disks[].name] | sort | join(" ")')" \
    "data.raw swap.raw system.img" "disks of the point"
equal "$(field '[.point.files[].name] | sort | join(" ")')" \
    "nvram/OVMF_VARS.fd web01.xml" "files of the point"
equal "$(field '.point.disks[] | select(.name == "swap.raw").size')" \
    $((5 << 20)) "size of a disk"

say "a changed file alone makes a new point"
echo '<!-- changed -->' >>web01/web01.xml
backup web01
equal "$(field '.vms[0].new_blocks')" 1 "blocks put"
restored "$point" back2 web01
