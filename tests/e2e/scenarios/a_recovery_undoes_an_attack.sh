# shellcheck shell=bash
# Somebody with the writer's keys hides and overwrites everything in a locked
# repository, adds false manifests and deletes what is not locked. Every point is
# restored bit for bit before anything is undone; repo recover says what was
# done, undoes it, and everything works as before.
# tags: s3 quick
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-locked/$(basename "$URL")-$$

markers() {
    objects versions | grep -c '^marker' || true
}

mkdir vm
noise 2500000 1 >vm/disk.raw
echo settings >vm/vm.cfg
make_repo --block-size 256K --create-bucket --immutable 1h --generation 30m
backup vm
one=$point
cp -r vm vm-one
poke vm/disk.raw 1000000 10 2
backup vm
two=$point
say "another VM, sealed"
export OBJVAULT_PASSWORD="correct horse"
mkdir -p sealed/web
cp vm/disk.raw sealed/web
backup sealed/web --encrypt password
web=$point
ovj repo recover r --dry-run
equal "$(field '[.objects[] | .markers + .overwritten + .lost + .junk] | add')" \
    0 "what was done to a sound repository"
equal "$(field '"\(.points_back) \(.points_lost)"')" "3 0" "points"

say "the attack"
python3 "$E2E/attack.py" "$URL" 1 --lock-rubbish 60
restored "$one" back-one vm-one
restored "$two" back-two vm
restored "$web" back-web sealed/web
ov backup run sealed/web --repo r --encrypt password --dry-run
objects versions >.before

say "nothing is done without being asked"
try repo recover r
equal "$rc" 2 "exit code without --yes off a terminal"
try --json repo recover r --dry-run
equal "$rc" 0 "exit code of a dry run"
one_document
at_least "$(field '[.objects[].markers] | add')" 1 "delete markers"
at_least "$(field '[.objects[].overwritten] | add')" 1 "overwritten objects"
at_least "$(field '.objects.points.junk')" 2 "false manifests"
equal "$(field '.points_back')" 3 "points that come back"
at_least "$(field '.objects.slots | .markers + .overwritten')" 1 \
    "what was done to slots"
equal "$(field '.objects.slots.junk')" 3 "false slots"
equal "$(field '.locked_points_lost')" 0 "locked points that do not"
field '.points[] | select(.kind == "point_lost") | .text' | grep -q vm@ ||
    fail "the point with lost pages is not named"
objects versions >.after
same .before .after

say "nothing can have been done since a time to come"
refuses 2 repo recover r --as-of 2099-01-01T00:00:00Z --dry-run
says "lies in the future"

say "undone"
ovj repo recover r --yes
equal "$(field '[.objects[].markers] | add')" \
    "$(field '[.objects[].removed] | add')" "markers and those removed"
equal "$(field '[.objects[].overwritten] | add')" \
    "$(field '[.objects[] | .uncovered + .put_again] | add')" \
    "overwritten and undone"
at_least "$(field '[.objects[].put_again] | add')" 1 \
    "put again under locked rubbish"
equal "$(markers)" 0 "delete markers"
at_least "$(field '.objects.slots | .junk_removed + .refused')" 3 \
    "false slots that went, and versions that are locked"
for name in $(objects ls plain/blocks/); do
    objects get "$name" | zstd -dcq | sha256sum | grep -q "${name##*/}" ||
        fail "$name is not what its name says"
done

say "a second time there is nothing left but what is locked"
ovj repo recover r --yes
equal "$(field '[.objects[] | .markers + .overwritten + .lost] | add')" 0 \
    "what is left"

say "every command works"
restored "$one" back-one2 vm-one
restored "$two" back-two2 vm
restored "$web" back-web2 sealed/web
poke vm/disk.raw 2000000 10 3
backup vm --encrypt none
three=$point
restored "$three" back-three vm
other_machine
attach_repo r
restored "$three" back-other vm
try --json repo check r --level full
equal "$(field '"\(.hidden) \(.damaged_points) \(.missing_points)"')" "0 1 0" \
    "hidden objects, damaged points (the false one)"
ov repo stats r
! grep -q 'hidden or overwritten' "$err" || fail "something is hidden still"
ov point verify "$one" --repo r
