# shellcheck shell=bash
# repo check --repair --from puts objects of an encrypted keyset again, from a
# copy of the whole repository; without the password nothing is taken from it.
# tags: slow
echo right >right
with=(--password-file right)
noise 2000000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw --encrypt password "${with[@]}"
one=$point
k=$(field '.vms[0].keyset')

say "a mirror, object by object"
second=${URL}-mirror-$$
trap 'python3 "$E2E/objects.py" "$second" drop' EXIT
objects ls | while read -r name; do
    objects get "$name" | python3 "$E2E/objects.py" "$second" put "$name"
done
ov repo attach s "$second" "${store[@]}"
for kind in blocks pages points; do
    objects ls "$k/$kind/" | sed -n 1p >>.names
done
while read -r name; do objects rm "$name"; done <.names

say "without the password nothing is known, and nothing is put"
try repo check r --repair --from s
equal "$rc" 3 "exit code without the password"
while read -r name; do
    [ -z "$(objects ls "$name")" ] || fail "$name was put"
done <.names

say "with it what is lost is put again"
try repo check r "${with[@]}"
equal "$rc" 7 "exit code before"
ovj repo check r --repair --from s --level full "${with[@]}"
equal "$(field '"\(.damaged) \(.repaired) \(.damaged_points) \(.missing_points) \(.keysets_skipped)"')" \
    "3 3 0 0 0" "damaged, repaired, points, keysets"
ov repo check r --level full "${with[@]}"
ov restore disk "$one" --repo r --to back.raw "${with[@]}"
same back.raw disk.raw
