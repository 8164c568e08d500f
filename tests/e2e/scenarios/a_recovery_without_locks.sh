# shellcheck shell=bash
# repo recover where nothing is locked: in a bucket with versions what was hidden
# and overwritten comes back, what lost its good version does not (exit 7), and
# --as-of leaves alone what was done before; without versions it says why it
# cannot.
# tags: quick
mkdir vm
noise 2000000 1 >vm/disk.raw
if ! on_s3; then
    make_repo --block-size 256K
    backup vm
    refuses 1 repo recover r --yes
    says "keeps no versions"
    equal "$(field .error.code)" unsupported "error.code"
    refuses 2 repo recover r --yes --as-of yesterday
    exit 0
fi
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-recover/$(basename "$URL")
objects make
objects versioning
trap 'objects purge' EXIT
make_repo --block-size 256K
backup vm
one=$point
cp -r vm vm-one
poke vm/disk.raw 1000000 10 2
backup vm
two=$point

block=$(objects ls plain/blocks/ | sed -n 1p)
objects rm "$(objects ls plain/blocks/ | sed -n 2p)"
sleep 2
moment=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1
echo rubbish | objects put "$block"
objects rm "$(objects ls plain/points/ | sed -n 1p)"
objects rm objvault.json

say "since a moment"
ovj repo recover r --yes --as-of "$moment"
equal "$(field '[.objects[].markers] | add')" 2 "delete markers since then"
equal "$(field .objects.blocks.overwritten)" 1 "overwritten since then"
equal "$(field .as_of)" "$moment" as_of
equal "$(objects versions | grep -c ^marker)" 1 "delete markers before"

say "all of it"
ovj repo recover r --yes
equal "$(objects versions | grep -c ^marker || true)" 0 "delete markers"
equal "$(field '"\(.points_back) \(.points_lost)"')" "2 0" points
restored "$one" back-one vm-one
restored "$two" back-two vm
ov repo check r --level full

say "what has no good version any more"
sleep 2
moment=$(date -u +%Y-%m-%dT%H:%M:%SZ)
objects locks "$block" | while read -r key version _; do
    objects rm-version "$key" "$version"
done
echo rubbish | objects put "$block"
try --json repo recover r --yes --as-of "$moment"
equal "$rc" 7 "exit code"
one_document
equal "$(field '"\(.ok) \(.objects.blocks.lost)"')" "false 1" "lost blocks"
at_least "$(field .points_lost)" 1 "points that do not come back"
say "the source still has it"
backup vm-one --vm vm --adopt
backup vm --vm vm --adopt
ov repo check r --level full
