# shellcheck shell=bash
# Wrong keys are exit 5, a missing bucket 4, an unknown certificate 5; a
# credentials file works like the environment.
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
restored_point=$point
ov restore disk "$restored_point" disk.raw --repo r --to back.raw
same disk.raw back.raw

say "no such bucket"
refuses 4 repo attach none s3://objvault-no-such-bucket/x "${store[@]}" --credentials mine
says objvault-no-such-bucket
refuses 4 repo create none s3://objvault-no-such-bucket/x "${store[@]}" --credentials mine
