# shellcheck shell=bash
# Some servers leave out of listings what lies below an object, so one put on
# "plain/points" hides all points. Nothing takes such a listing for the truth,
# runs go on, and repo recover removes the object.
# tags: s3 quick
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-locked/$(basename "$URL")-$$

junk() {
    echo junk | objects put "$1"
}

mkdir vm
noise 2500000 1 >vm/disk.raw
make_repo --block-size 256K --create-bucket --immutable 1h --generation 30m
backup vm
one=$point
cp -r vm vm-one
ov point protect "$one" --repo r
block=$(objects ls plain/blocks/ | head -n 1)
page=$(objects ls plain/pages/ | head -n 1)

for folder in plain/points plain/points/vm; do
    say "$folder"
    junk "$folder"
    refuses 7 point list --repo r
    says "$folder is an object"
    says "repo recover"
    refuses 7 repo check r
    refuses 7 repo gc r --yes
    try --json repo recover r --dry-run
    equal "$rc" 7 "exit code of a dry run"
    one_document
    equal "$(field '"\(.objects.points.junk) \(.hiding)"')" "1 1" \
        "objects in place of folders"
    ovj repo recover r --yes
    equal "$(field '.objects.points.junk_removed')" 1 "removed ones"
    equal "$(field '.points_back')" 1 "points that come back"
    restored "$one" "back-${folder##*/}" vm-one
done

say "a delete marker on it does not help"
junk plain/points
objects rm plain/points
refuses 7 point list --repo r
ov repo recover r --yes

say "a run goes on, and its point is seen again"
junk plain
junk plain/points/vm
junk plain/keep
junk "${block%/*}"
junk "${page%/*}"
poke vm/disk.raw 1000000 10 2
backup_warned vm
two=$point
try point list --repo r
equal "$rc" 7 "exit code"
ovj repo recover r --yes
equal "$(field '[.objects[].junk_removed] | add')" 5 "removed ones"
restored "$one" back-one vm-one
restored "$two" back-two vm
ov repo check r --level full
ovj point list --repo r
equal "$(field '[.points[] | select(.kept == "protected")] | length')" 1 \
    "protected points"

say "hidden marks protect, and so do those with a delete marker"
junk plain/keep/vm
ovj point list --repo r
equal "$(field '[.points[] | select(.kept == "protected")] | length')" 2 \
    "protected points"
ov repo recover r --yes
objects rm "$(objects ls plain/keep/)"
ovj point list --repo r
equal "$(field '[.points[] | select(.kept == "protected")] | length')" 1 \
    "protected points"

say "what hides keysets keeps runs from making others"
echo "correct horse" >password
other=$(mktemp -d "$PWD/.sealed.XXXX")
cp -r vm "$other/sealed"
with=(--password-file password)
backup "$other/sealed" --encrypt password "${with[@]}"
sealed=$point
keyset=$(objects ls keysets/ | cut -d/ -f2)
for folder in keysets "keysets/$keyset" "keysets/$keyset/slots" "$keyset/points"; do
    say "$folder"
    junk "$folder"
    refuses 7 point list --repo r "${with[@]}"
    says "$folder is an object"
    refuses 7 repo check r "${with[@]}"
    refuses 7 repo gc r --yes "${with[@]}"
    if [ "${folder%%/*}" = keysets ]; then
        refuses 7 backup run vm --repo r
        refuses 7 backup run vm --repo r --encrypt password "${with[@]}"
    fi
    try --json repo recover r --dry-run "${with[@]}"
    equal "$rc" 7 "exit code of a dry run"
    ovj repo recover r --yes "${with[@]}"
    equal "$(field '"\(.hiding) \(.points_back)"')" "0 3" \
        "what hides, and points that come back"
    ov restore vm "$sealed" --repo r --to "back-${folder//\//-}" "${with[@]}"
    same_tree "$other/sealed" "back-${folder//\//-}"
done
