# shellcheck shell=bash
# repo check: a block, a page or a manifest that is gone, flipped or cut off is
# named (exit 7) and its point too; blocks and pages are marked, and the next run
# of the source, here or on another host, stores them again.
# tags: quick
# not-tsan: it takes minutes there, and its threads are those of shorter ones
mkdir vm
noise 3000000 1 >vm/disk.raw
echo settings >vm/vm.cfg
make_repo --block-size 256K
backup vm
one=$point
ov repo check r
ov repo check r --level full
ovj repo check r --level sample --sample 10%
equal "$(field '"\(.repo) \(.level) \(.points) \(.damaged) \(.marked)"')" \
    "r sample 1 0 0" "a sound repository"
equal "$(objects ls gc/damaged/ | wc -l)" 0 "marks"

damaged() { # damaged NAME LEVEL: the check names it, and the point
    try --json repo check r --level "$2"
    equal "$rc" 7 "exit code of a check that finds damage"
    one_document
    equal "$(field '.ok')" false ok
    equal "$(field '.error.code')" corrupt "error.code"
    equal "$(field '.damaged')" 1 "damaged objects"
    warns "$1"
    at_least "$(field '.damaged_points + .missing_points')" 1 "points"
    field '.messages[].text' | grep -qF "$1" || fail "$1 is not in the document"
}

# In ways: deleted, flipped, cut off.
hurt() { # hurt WAY NAME
    objects get "$2" >.object
    case $1 in
    gone) objects rm "$2" ;;
    flipped)
        cp .object .hurt
        printf '\377\377\377\377' | dd of=.hurt bs=1 seek=40 conv=notrunc status=none
        objects put "$2" <.hurt
        ;;
    cut) head -c $(($(stat -c %s .object) - 3)) .object | objects put "$2" ;;
    esac
}

for way in gone flipped cut; do
    for kind in blocks pages; do
        say "a $kind object is $way"
        name=$(objects ls plain/$kind/ | sed -n 2p)
        hurt $way "$name"
        damaged "$name" full
        warns "point $one"
        equal "$(field '.marked')" 1 "marks"
        objects ls gc/damaged/ | grep -q "${name##*/}" || fail "no mark"
        say "... and healed"
        if [ $kind = pages ]; then
            backup_warned vm # the point before has lost a page
        else
            other_machine
            attach_repo r
            backup vm
        fi
        ovj repo check r --level full
        equal "$(field '"\(.damaged) \(.marked)"')" "0 0" "damage and marks"
        equal "$(objects ls gc/damaged/ | wc -l)" 0 "marks"
    done
    say "a manifest is $way"
    name=$(objects ls plain/points/ | tail -n 1)
    hurt $way "$name"
    damaged "$name" list
    objects put "$name" <.object
    ov repo check r
done

say "a listing sees what is gone, and no more"
name=$(objects ls plain/blocks/ | sed -n 1p)
hurt gone "$name"
damaged "$name" list
objects put "$name" <.object
ov repo check r --level full

say "what is not ours is named, and is no damage"
echo x | objects put plain/points/readme.txt
echo x | objects put notes.txt
ovj repo check r
equal "$(field '.junk')" 2 "junk"
warns plain/points/readme.txt
warns notes.txt
objects rm notes.txt
objects rm plain/points/readme.txt

say "wrong usage"
refuses 2 repo check r --level list --sample 5%
refuses 2 repo check r --sample 0%
refuses 2 repo check r --sample 101%
refuses 2 repo check r --sample 5
refuses 2 repo check r --from r
refuses 4 repo check nobody
restored "$one" back vm
