# shellcheck shell=bash
# The slots of a keyset: another password, a second one, a recovery password, and
# their end. Old points open by what is in force, and by nothing else.
# tags: slow
echo one >one
echo two >two
echo three >three
make_repo --block-size 256K
noise 700000 1 >disk.raw
backup disk.raw --encrypt password --password-file one
old=$point

say "another password opens what the old one had sealed"
objects ls >before
ovj keyset change-password --repo r --password-file one --new-password-file two
equal "$(field '"\(.slots | length) \(.slots[0].gen) \(.old_stays)"')" "1 2 false" "slot"
refuses 5 restore disk "$old" --repo r --to no.raw --password-file one
ov restore disk "$old" --repo r --to back.raw --password-file two
same_disk disk.raw back.raw
objects ls >after
equal "$(grep -c /slots/ after)" 1 "slots that are stored"
diff <(grep -v /slots/ before) <(grep -v /slots/ after) || fail "a point was touched"
poke disk.raw 1000 10 2
backup disk.raw --encrypt password --password-file two
equal "$(field '.vms[0].kind')" incremental "kind after the change"
refuses 5 keyset change-password --repo r --password-file one --new-password-file three
refuses 2 keyset change-password --repo r --password-file two
says "--new-password-file"

say "a recovery password sets a new one"
ov keyset add-slot --repo r --password-file two --recovery-password-file rescue
refuses 2 keyset add-slot --repo r --password-file two --recovery-password-file rescue
ov keyset change-password --repo r --password-file rescue --new-password-file three
ovj keyset show --repo r --password-file three
equal "$(field '[.slots[].type] | sort | join(" ")')" "password recovery" "types"
kept=$(field '.slots[] | select(.type == "password") | .slot')
refuses 5 keyset show --repo r --password-file two
says "recovery password"

say "a second password, and the end of it"
ov keyset add-slot --repo r --password-file three --new-password-file two
ovj keyset show --repo r --password-file two
equal "$(field '.slots | length')" 3 "slots"
newest=$(field '.slots[] | select(.type == "password") | .slot' | grep -v "$kept")
refuses 2 keyset change-password --repo r --password-file rescue --new-password-file one
says "--slot"
ovj keyset remove-slot "$newest" --repo r --password-file two --dry-run
equal "$(field '.slots | length')" 3 "slots after a dry run"
refuses 2 keyset remove-slot "$newest" --repo r --password-file two
says "--yes"
refuses 5 keyset remove-slot "$newest" --repo r --password-file one --yes
refuses 4 keyset remove-slot 0123456789abcdef --repo r --password-file two --yes
ovj keyset remove-slot "$newest" --repo r --password-file two --yes
equal "$(field '.slots | length')" 2 "slots"

say "the last one stays"
ov keyset show --repo r --password-file rescue
ov keyset remove-slot "$kept" --repo r --password-file rescue --yes
ovj keyset show --repo r --password-file rescue
slot=$(field '.slots[0].slot')
refuses 2 keyset remove-slot "$slot" --repo r --password-file rescue --yes
says "last"
ov restore disk "$old" --repo r --to again.raw --password-file rescue
same again.raw back.raw

say "a keyset of its own"
ov keyset create finance --repo r --password-file one
refuses 2 keyset create finance --repo r --password-file one
refuses 4 keyset show --repo r --keyset nothing --password-file one
backup disk.raw --encrypt password --keyset finance --password-file one
equal "$(field '.vms[0].kind')" full "kind in another keyset"
ovj keyset list --repo r
equal "$(field '[.keysets[].label] | sort | join(" ")')" "default finance" "labels"
ovj point list --repo r --password-file one
equal "$(field '[.points[] | select(.sealed)] | length')" 2 "sealed points"
equal "$(field '[.points[] | select(.vm == "disk")] | length')" 1 "open points"
