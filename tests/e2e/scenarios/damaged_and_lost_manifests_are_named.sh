# shellcheck shell=bash
# A manifest that is gone is named (exit 7) where this machine has seen it; of a
# damaged newest one the next older point is taken, with a warning; with no
# sound one left: exit 7.
# tags: quick
mkdir vm before
noise 900000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
one=$point
cp vm/disk.raw before/
poke vm/disk.raw 0 10 2
backup vm
two=$point
mapfile -t manifests < <(objects ls plain/points/)
equal "${#manifests[@]}" 2 "manifests"
objects get "${manifests[0]}" >first
objects get "${manifests[1]}" >second

say "deleted behind our back"
objects rm "${manifests[1]}"
refuses 7 point verify "$two" --repo r
says "${two#*@}"
objects put "${manifests[1]}" <second
ov point verify "$two" --repo r

say "a point that never was is no damage"
refuses 4 point verify vm@2001-01-01T00:00:00Z --repo r

say "one that this machine deleted is none either"
backup vm
ov point delete "$point" --repo r --yes
refuses 4 point verify "$point" --repo r

say "the newest is damaged"
head -c 300 second | objects put "${manifests[1]}"
name=$(basename "${manifests[1]}" .json)
ov point verify vm@latest --repo r
warns "${name##*-}"
ovj point show vm@latest --repo r
equal "$(field .point.point)" "$one" "the latest point"
ov restore vm vm@latest --repo r --to back
warns "${name##*-}"
same_tree before back
try point verify "$two" --repo r
equal "$rc" 7 "exit code of verify"
warns "${name##*-}"

say "all are"
head -c 300 first | objects put "${manifests[0]}"
for m in "${manifests[@]}"; do
    m=$(basename "$m" .json)
    try point verify vm@latest --repo r
    equal "$rc" 7 "exit code of verify"
    warns "${m##*-}"
    try --json restore vm vm@latest --repo r --to back2
    equal "$rc" 7 "exit code of restore"
    one_document
    equal "$(field .error.exit)" 7 "error.exit"
    warns "${m##*-}"
done
[ -z "$(find back2 -type f 2>/dev/null)" ] || fail "something was restored"
refuses 4 point verify nobody@latest --repo r

objects put "${manifests[0]}" <first
objects put "${manifests[1]}" <second
ov point verify vm@latest --repo r
restored vm@latest back3 vm
