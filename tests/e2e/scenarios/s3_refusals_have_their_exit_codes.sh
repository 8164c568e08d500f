# shellcheck shell=bash
# Wrong keys are exit 5, a missing bucket 4; a credentials file works like the
# environment; what was stored before is whole after every refusal.
# tags: s3 quick
noise 300000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw

say "a wrong secret, then an unknown key"
good_key=$AWS_ACCESS_KEY_ID good_secret=$AWS_SECRET_ACCESS_KEY
export AWS_SECRET_ACCESS_KEY=not-the-secret-at-all
refuses 5 point list --repo r
[[ $said != *not-the-secret* ]] || fail "the message shows the secret"
refuses 5 backup run disk.raw --repo r
export AWS_ACCESS_KEY_ID=nobody
refuses 5 point list --repo r

say "no keys at all"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
refuses 5 point list --repo r

say "keys in credentials/NAME.json"
other_machine
mkdir -p "$OBJVAULT_HOME/credentials"
printf '%s\n' "$good_secret" >secret
chmod 600 secret
cat >"$OBJVAULT_HOME/credentials/mine.json" <<JSON
{ "access_key_id": "$good_key", "secret_access_key": { "file": "$PWD/secret" } }
JSON
chmod 600 "$OBJVAULT_HOME/credentials/mine.json"
ov repo attach r "$URL" "${store[@]}" --credentials mine
ov config check
say "what was refused broke nothing"
whole() { # whole FILE: the earlier point is there, alone, and verifies
    ovj point list --repo r
    equal "$(field '[.points[].point] | join(" ")')" "$point" "points"
    ov point verify "$point" --repo r
    restored_disk "$point" disk.raw "$1" disk.raw
}
whole back.raw

say "no such bucket"
refuses 4 repo attach none s3://objvault-no-such-bucket/x "${store[@]}" --credentials mine
says objvault-no-such-bucket
refuses 4 repo create none s3://objvault-no-such-bucket/x "${store[@]}" --credentials mine
sed -i 's|s3://[^/"]*|s3://objvault-no-such-bucket|' "$OBJVAULT_HOME/repos/r.json"
grep -q objvault-no-such-bucket "$OBJVAULT_HOME/repos/r.json"
refuses 4 backup run disk.raw --repo r
says objvault-no-such-bucket
ov repo remove r
ov repo attach r "$URL" "${store[@]}" --credentials mine
whole back2.raw
