# shellcheck shell=bash
# Objects that were lost or damaged behind our back: a full run puts lost ones
# again, --upload all damaged ones too, and the points that need them are whole.
# tags: quick
mkdir vm
noise 1200000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
one=$point
mapfile -t blocks < <(objects ls plain/blocks/)
mapfile -t pages < <(objects ls plain/pages/)
equal "${#blocks[@]} ${#pages[@]}" "5 1" "blocks and pages"

damaged() { # damaged WHAT: the first point is
    try point verify "$one" --repo r
    equal "$rc" 7 "exit code of verify with $1"
}

say "a lost block"
objects rm "${blocks[2]}"
damaged "a lost block"
backup vm --full
equal "$(field '.vms[0].new_blocks')" 1 "blocks put"
ov point verify "$one" --repo r
ov point verify "$point" --repo r

say "a lost page"
objects rm "${pages[0]}"
damaged "a lost page"
backup_warned vm # the parent's page has to be there to compare with it
ov point verify "$point" --repo r
restored "$point" back vm
ov point verify "$one" --repo r

say "a block with another size than it had"
objects get "${blocks[1]}" >good
head -c 100 good | objects put "${blocks[1]}"
damaged "a short block"
backup vm --full
equal "$(field '.vms[0].new_blocks')" 1 "blocks put"
ov point verify "$one" --repo r

say "a flipped block"
objects get "${blocks[1]}" >good
{ head -c 100 good && printf 'XXXXXXXX' && tail -c +109 good; } >bad
objects put "${blocks[1]}" <bad
damaged "a flipped block"
backup vm --full
equal "$(field '.vms[0].new_blocks')" 0 "blocks put by --full (the name is there)"
damaged "a flipped block"
backup vm --upload all
equal "$(field '.vms[0].new_blocks')" 5 "blocks put by --upload all"
ov point verify "$one" --repo r
ov point verify "$point" --repo r
restored "$one" back2 vm

say "a flipped page"
objects get "${pages[0]}" >good
{ head -c 100 good && printf 'XXXXXXXX' && tail -c +109 good; } >bad
objects put "${pages[0]}" <bad
damaged "a flipped page"
backup_warned vm --upload all
ov point verify "$one" --repo r
ov point verify "$point" --repo r

say "missing is the default"
backup vm --upload missing
equal "$(field '.vms[0].new_blocks')" 0 "blocks put"
refuses 2 backup run vm --repo r --upload some
says some
