# shellcheck shell=bash
# repo check --repair --from: what another repository still has is put again,
# blocks, pages and manifests; what it has not is named.
# tags: quick
mkdir vm
noise 3000000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
one=$point
cp -r vm vm-one
poke vm/disk.raw 1000000 10 2
backup vm
two=$point

say "a second repository with the same objects"
second=${URL}-second-$$
trap 'python3 "$E2E/objects.py" "$second" drop' EXIT
ov repo create s "$second" "${store[@]}" --block-size 256K
objects ls plain/ | while read -r name; do
    objects get "$name" | python3 "$E2E/objects.py" "$second" put "$name"
done
for kind in blocks pages points; do
    objects ls plain/$kind/ | sed -n 1p >>.names
done
objects ls plain/blocks/ | tail -n 1 >>.names
while read -r name; do objects rm "$name"; done <.names
try repo check r
equal "$rc" 7 "exit code before"
refuses 2 repo check r --from s
ovj repo check r --repair --from s --level full
equal "$(field '"\(.damaged) \(.repaired) \(.damaged_points) \(.missing_points) \(.marked)"')" \
    "4 4 0 0 0" "damaged, repaired, points, marks"
while read -r name; do warns "$name is put again"; done <.names
ov repo check r --level full
restored "$one" back-one vm-one
restored "$two" back-two vm

say "what neither has stays damaged"
name=$(head -n 1 .names)
objects rm "$name"
python3 "$E2E/objects.py" "$second" rm "$name"
try --json repo check r --repair --from s
equal "$rc" 7 "exit code"
equal "$(field '"\(.damaged) \(.repaired) \(.marked)"')" "1 0 1" \
    "damaged, repaired, marked"
say "but the source has it"
backup vm-one --vm vm --adopt
ov repo check r --level full
