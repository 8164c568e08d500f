# shellcheck shell=bash
# keyset rotate: a new key in the key server, the old one revoked, and no object
# but slots is touched; --new-data-key: a keyset in place of the old one.
# tags: slow
own_kms main
echo one >one
echo two >two
noise 700000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw --encrypt kms:main --recovery-password-file rescue
old=$point
ov keyset add-slot --repo r --new-password-file one
equal "$(kms_keys main active)" 1 "active keys before"

say "nothing is done without a word"
refuses 2 keyset rotate --repo r
says "--yes"
refuses 2 keyset rotate --repo r --new-password-file two --yes
says "--new-data-key"
ovj keyset rotate --repo r --dry-run
equal "$(field '[.rotation[] | .type + ":" + .what] | sort | join(" ")')" \
    "kms:rotated password:kept recovery:kept" "what a dry run would do"
equal "$(kms_keys main active)" 1 "active keys after a dry run"

say "a new key, and the old one is revoked"
objects stamps >before
ovj keyset rotate --repo r --yes
equal "$(field '.rotation[] | select(.type == "kms") |
    "\(.what) \(.kms) \(.old_key) \(.key) \(.retired) \(.reason)"')" \
    "rotated main 1 2 true null" "rotation"
equal "$(field '.old_stays')" false "what stays"
equal "$(kms_keys main active)" 2 "active keys"
equal "$(kms_keys main revoked)" 1 "revoked keys"
objects stamps >after
diff <(grep -v /slots/ before) <(grep -v /slots/ after) || fail "data was touched"
equal "$(grep -c /slots/ after)" 3 "slots that are stored"
grep -F /slots/ before | sort >slots
equal "$(grep /slots/ after | sort | comm -12 - slots | wc -l)" 2 "slots as they were"
restored_disk "$old" disk.raw back.raw disk.raw
poke disk.raw 1000 10 2
backup disk.raw --encrypt kms:main
equal "$(field '.vms[0].kind')" incremental "kind after the rotation"
ov restore disk "$old" --repo r --to rescued.raw --password-file rescue
same rescued.raw back.raw

say "again, and of two servers"
own_kms spare
ov keyset add-slot --repo r --kms spare
ovj keyset rotate --repo r --yes --password-file one
equal "$(field '[.rotation[] | select(.type == "kms") | .kms + ":" + .what] |
    sort | join(" ")')" "main:rotated spare:rotated" "rotation of two"
equal "$(kms_keys main active) $(kms_keys spare active)" "3 2" "active keys"

say "a new data key: a full in a new keyset, and older points are read"
ovj keyset show --repo r
first=$(field .keyset)
refuses 2 keyset rotate --repo r --new-data-key --password-file one
objects stamps >before
ovj keyset rotate --repo r --new-data-key --password-file one \
    --recovery-password-file rescue2 --yes
equal "$(field .supersedes)" "$first" "the keyset that is superseded"
equal "$(field '[.slots[].type] | sort | join(" ")')" "kms kms password recovery" "slots"
equal "$(field '[.rotation[] | .type + ":" + .what] | sort | join(" ")')" \
    "kms:rotated kms:rotated password:rotated recovery:kept" "what is carried over"
objects stamps | comm -13 - before >gone
[ ! -s gone ] || fail "something was touched: $(cat gone)"
backup disk.raw --encrypt kms:main
equal "$(field '.vms[0].kind')" full "kind in the new keyset"
new=$point
restored_disk "$old" disk.raw back2.raw back.raw

say "where there is no key server"
ov keyset create plain-passwords --repo r --password-file one
refuses 2 keyset rotate --repo r --keyset plain-passwords --password-file one --yes
says "change-password"
ovj keyset rotate --repo r --keyset plain-passwords --password-file one \
    --new-data-key --new-password-file two --yes
equal "$(field '.rotation[0].what')" kept "the old password's slot"
ov keyset show --repo r --keyset plain-passwords --password-file two
refuses 5 keyset show --repo r --keyset plain-passwords --password-file one

say "on a machine without key servers: each recovery password opens its own"
other_machine
attach_repo r
ov restore disk "$new" --repo r --to new.raw --password-file rescue2
same new.raw disk.raw
refuses 5 restore disk "$new" --repo r --to no.raw --password-file rescue
ov restore disk "$old" --repo r --to back3.raw --password-file rescue
same back3.raw back.raw
