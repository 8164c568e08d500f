# shellcheck shell=bash
# An unreachable endpoint is exit 8, a folder or bucket that is not there 4, a
# repository of a future version is refused with its number.
# tags: quick
export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-none}
export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-none}
noise 300000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw

say "no repository there"
if on_s3; then
    parent=${URL%/*}
    refuses 4 repo attach none "$parent/there-is-none" "${store[@]}"
else
    mkdir nothing
    refuses 4 repo attach none "file://$PWD/nothing"
    refuses 4 repo attach none "file://$PWD/not-even-a-folder"
fi

say "a future version of the format"
objects get objvault.json >descriptor
jq -c '.objvault = 999' descriptor | tr -d '\n' >future
objects put objvault.json <future
other_machine
refuses 1 repo attach r "$URL" "${store[@]}"
says 999
objects put objvault.json <descriptor
attach_repo r

say "a damaged descriptor"
head -c 20 descriptor | objects put objvault.json
refuses 7 point list --repo r
objects put objvault.json <descriptor
ov point verify "$point" --repo r
