# shellcheck shell=bash
# On a locked repository a former password's slot cannot be deleted before its
# lock ends, which is said (exit 3); the newest password opens all points, and
# the same commands delete what is left once they may.
# tags: s3
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-short/$(basename "$URL")-$$
echo one >one
echo two >two
echo three >three
noise 300000 1 >disk.raw
make_repo --create-bucket --immutable 90s --generation 4s
backup disk.raw --encrypt password --password-file one
first=$point
slot=$(objects ls keysets/)

say "the old slot stays, and the new password opens all there is"
try --json keyset change-password --repo r --password-file one --new-password-file two
equal "$rc" 3 "exit code of the change"
equal "$(field .old_stays)" true "what stays"
warns "old password"
objects locks keysets/ >dates
read -r key version until < <(grep "^$slot " dates)
at_least "$until" "$(($(date +%s) + 1))" "until when the old slot is locked"
! objects rm-version "$key" "$version" 2>/dev/null || fail "the old slot was deleted"
newest=$(awk -v k="$key" '$1 != k { print $3 }' dates)
at_least "$newest" "$until" "until when the new slot is locked"
poke disk.raw 1000 10 2
backup disk.raw --encrypt password --password-file two
equal "$(field '.vms[0].kind')" incremental "kind after the change"
ov restore disk "$first" --repo r --to back.raw --password-file two
ov restore disk "$point" --repo r --to new.raw --password-file two
same new.raw disk.raw
ov restore disk "$first" --repo r --to old.raw --password-file one
same old.raw back.raw
warns "the password was changed"
try --json backup run disk.raw --repo r --encrypt password --password-file one
equal "$rc" 5 "exit code of a run by the old password"

say "a second password, and its end"
ov keyset add-slot --repo r --password-file two --new-password-file three
ovj keyset show --repo r --password-file three
second=$(field '[.slots[]] | sort_by(.made, .gen) | .[] | select(.gen == 1) | .slot')
try --json keyset remove-slot "$second" --repo r --password-file two --yes
equal "$rc" 3 "exit code of the removal"
ov keyset show --repo r --password-file three
warns "or the slot removed"
try keyset change-password --repo r --password-file three --new-password-file one
equal "$rc" 5 "exit code of a change by a removed slot's password"

say "after the lock has ended the same commands delete it"
while [ "$(date +%s)" -le $((until + 5)) ]; do sleep 1; done
try --json keyset change-password --repo r --password-file two --new-password-file two
equal "$(objects versions keysets/ | grep -c "$key" || true)" 0 "versions of the old slot"
last=$(objects locks keysets/ | awk '{ print $3 }' | sort -n | tail -n 1)
while [ "$(date +%s)" -le "$last" ]; do sleep 1; done
ovj keyset remove-slot "$second" --repo r --password-file two --yes
equal "$(field .old_stays)" false "what stays of the removed slot"
equal "$(objects versions keysets/ | grep -c -- "-$second" || true)" 1 \
    "what is left of the removed slot"
ov restore disk "$point" --repo r --to again.raw --password-file two
same again.raw disk.raw
