# shellcheck shell=bash
# Somebody who may put objects, and has no key, lays generations over a slot and a
# copy beside it: they keep nobody from reading, writing, and changing a password,
# and save nobody from removing the last true slot. An old password, whose slot is
# still there, reads and does not write.
# tags: slow
echo one >one
echo two >two
make_repo --block-size 256K
noise 700000 1 >disk.raw
backup disk.raw --encrypt password --password-file one
old=$point
slot=$(objects ls keysets/)
folder=${slot%/*}
id=${slot##*-}
objects get "$slot" >true.json

plant() { # plant FILTER NAME
    jq -c "$1" true.json | tr -d '\n' | objects put "$folder/$2"
}

say "slots by their form, and no keyset's"
plant '.gen = 2 | .label = "another" | .iv = "000000000000000000000000"' "00000002-$id"
plant '.gen = 3 | .type = "removed" | .password = null | .key_print = null | .iv = null |
    .data = null | .tag = null' "00000003-$id"
plant '.slot = "0000000000000000"' 00000001-0000000000000000.json

ov restore disk "$old" --repo r --to back.raw --password-file one
same_disk disk.raw back.raw
for name in "00000002-$id" "00000003-$id" 00000001-0000000000000000.json; do
    grep "made by nobody who has its key" "$err" | grep -qF "$name" ||
        fail "$name is not named"
done
poke disk.raw 1000 10 2
backup disk.raw --encrypt password --password-file one
equal "$(field '.vms[0].kind')" incremental "kind of the next run"
equal "$(objects ls keysets/ | cut -d/ -f2 | sort -u | wc -l)" 1 "keysets"
ovj keyset show --repo r --password-file one
equal "$(field '"\(.label) \(.slots | length) \(.slots[0].gen)"')" "default 1 1" "slots"
try --json repo check r --password-file one
equal "$(field .junk)" 3 "what a check names"
field '.messages[] | select(.kind == "junk") | .text' | grep -qF "00000003-$id" ||
    fail "the check does not name a false slot"

say "the last true slot stays"
try keyset remove-slot "${id%.json}" --repo r --password-file one --yes
equal "$rc" 2 "exit code where a copy is all that would be left"
grep -q "last slot" "$err" || fail "the message does not say that it is the last"

say "another password takes a generation above them"
ovj keyset change-password --repo r --password-file one --new-password-file two
equal "$(field '"\(.slots | length) \(.slots[0].gen)"')" "1 4" "the slot"
equal "$(objects ls keysets/ | wc -l)" 2 "slots, with the copy"
ov restore disk "$old" --repo r --to again.raw --password-file two
same back.raw again.raw

say "a password whose slot is still there"
objects put "$slot" <true.json
ov restore disk "$old" --repo r --to third.raw --password-file one
same back.raw third.raw
grep -q "the password was changed" "$err" || fail "no warning of the old password"
try --json backup run disk.raw --repo r --encrypt password --password-file one
equal "$rc" 5 "exit code of a run by an old password"
field '.error.message' | grep -q "the password was changed" ||
    fail "the run does not say why it is refused"
try keyset change-password --repo r --password-file one --new-password-file two
equal "$rc" 5 "exit code of a change by an old password"
backup disk.raw --encrypt password --password-file two
