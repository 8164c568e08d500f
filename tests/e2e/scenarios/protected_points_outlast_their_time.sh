# shellcheck shell=bash
# point protect keeps a point beyond its time and from point delete; point
# unprotect gives it back.  In a bucket with versions no version is left.
# tags: quick
if on_s3; then
    bucket=${URL#s3://}
    URL=s3://${bucket%%/*}-versioned/$(basename "$URL")
    objects make
    objects versioning
    trap 'objects purge' EXIT
fi
mkdir vm
noise 70000 1 >vm/disk.raw
make_repo --block-size 256K
for d in 1 2 3 4 5; do
    export OBJVAULT_NOW=2026-01-0${d}T12:00:00Z
    backup vm --retention 1d --timezone UTC
    [ $d -ne 1 ] || one=$point # its time may be a second later
done
export OBJVAULT_NOW=2026-02-01T00:00:00Z

state() {
    ovj point list --repo r
    equal "$(field '[.points[] | "\(.state) \(.kept)"] | join(", ")')" "$1" \
        "points"
}
over='expired null'
newest='ok newest, ok newest, ok newest'
state "$over, $over, $newest"

ovj point protect "$one" --repo r
equal "$(field '"\(.protected) \(.changed)"')" "true true" "protect"
ovj point protect "$one" --repo r
equal "$(field '"\(.protected) \(.changed)"')" "true false" "protect again"
state "ok protected, $over, $newest"
equal "$(objects ls plain/keep/ | wc -l)" 1 "marks"
objects ls plain/keep/ | sed s,/keep/,/points/, >mark
grep -qxFf mark <(objects ls plain/points/) || fail "the mark has another name"

say "another machine sees it too"
home=$OBJVAULT_HOME
here=$OBJVAULT_STATE
other_machine
attach_repo r
state "ok protected, $over, $newest"
export OBJVAULT_HOME=$home OBJVAULT_STATE=$here

refuses 5 point delete "$one" --repo r --yes
says unprotect
refuses 5 point delete "$one" --repo r --dry-run
ov point show "$one" --repo r
grep -q protected "$out" || fail "point show does not say why"

ovj point unprotect "$one" --repo r
equal "$(field '"\(.protected) \(.changed)"')" "false true" "unprotect"
ovj point unprotect "$one" --repo r
equal "$(field '"\(.protected) \(.changed)"')" "false false" "unprotect again"
state "$over, $over, $newest"
equal "$(objects ls plain/keep/ | wc -l)" 0 "marks"
if on_s3; then
    equal "$(objects versions plain/keep/ | wc -l)" 0 \
        "versions and delete markers of marks"
fi
ov point delete "$one" --repo r --yes
refuses 4 point protect "$one" --repo r
