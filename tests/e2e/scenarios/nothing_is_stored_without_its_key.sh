# shellcheck shell=bash
# A backup whose key server is away, or says no, stores nothing at all and says
# why; a run whose key is revoked on the way stops.  What may still be restored
# is, and without the server by the recovery password.
# tags: slow
kms=$E2E/../../kms-test
"$kms/server.sh" find 2>/dev/null || skip "no KMIP server is installed"
"$kms/pki.sh" "$PWD/pki" >/dev/null 2>&1 || fail "no certificates"
trap '"$kms/server.sh" stop "$PWD/one"; "$kms/server.sh" stop "$PWD/two"' EXIT
for n in one two; do
    "$kms/server.sh" start "$PWD/$n" "$PWD/pki" >/dev/null || fail "no key server"
done
one=127.0.0.1:$(cat one/port)
two=127.0.0.1:$(cat two/port)
access=(--ca pki/ca.crt --cert pki/client.crt --key pki/client.key)
key() { # key VERB [ARG...]: at server one (kms-test/keys.py)
    "$kms/keys.py" one pki "$1" "$uid" "${@:2}" 2>.keys || fail "keys.py $*: $(cat .keys)"
}
# setting FIELD VALUE: in the configuration of the key server.
setting() {
    jq --arg f "$1" --arg v "$2" '.[$f] = $v' .config/kms/main.json >.json
    cat .json >.config/kms/main.json
}
text 300000 1 >disk.raw
cp disk.raw before.raw
make_repo --block-size 256K
ov kms add main --server "$one,$two" "${access[@]}"
setting timeout 2s
backup disk.raw --encrypt kms:main --recovery-password-file rescue
first=$point
ovj keyset show --repo r
slot=$(field '.slots[] | select(.type == "kms") | .slot')
objects get "$(objects ls keysets/ | grep "$slot")" >slot.json
uid=$(jq -r .kms.key slot.json)
# The replica has the key, too.
"$kms/server.sh" stop "$PWD/two"
cp one/pykmip.db two/pykmip.db
"$kms/server.sh" again "$PWD/two" >/dev/null || fail "it did not start again"
"$kms/server.sh" stop "$PWD/one"
poke disk.raw 1000 10 2

say "one of two replicas is enough"
backup disk.raw --encrypt kms:main
equal "$(field '.vms[0].kind')" incremental "kind"
poke disk.raw 2000 10 3
objects ls >names

: >texts
# stores_nothing EXIT TEXT...: a run is refused so, and the storage is as it was.
stores_nothing() {
    local text
    try --json backup run disk.raw --repo r --encrypt kms:main
    equal "$rc" "$1" "exit code of a run"
    one_document
    field .error.message | tee -a texts
    for text in "${@:2}"; do
        field .error.message | grep -qi -- "$text" || fail "it does not say $text"
    done
    objects ls | diff names - || fail "something was stored"
}
# opens_nothing EXIT TEXT: a restore is refused so.
opens_nothing() {
    try restore disk "$first" --repo r --to no.raw
    equal "$rc" "$1" "exit code of a restore"
    warns "$2"
    [ ! -e no.raw ] || fail "something was restored"
}
opens() {
    ov restore disk "$first" --repo r --to back.raw "$@"
    same back.raw before.raw
    rm back.raw
}

say "both are away"
"$kms/server.sh" stop "$PWD/two"
stores_nothing 8 "main" "127\.0\.0\.1:[0-9]*" "key $uid"
opens_nothing 8 "$uid"
say "the recovery password opens, and is not asked for by itself"
opens --password-file rescue
"$kms/server.sh" again "$PWD/one" >/dev/null || fail "it did not start again"
opens

say "deactivated: nothing new, and a restore warns"
key revoke superseded
stores_nothing 5 "deactivated"
opens
warns "deactivated"
say "compromised: a restore only where that is said"
key activate
key revoke key_compromise
stores_nothing 5 "compromised"
opens_nothing 5 "compromised"
opens --allow-compromised-key
warns "compromised"
say "of another client"
key activate
ov kms remove main
ov kms add main --server "$one" --ca pki/ca.crt --cert pki/client2.crt --key pki/client2.key
setting timeout 2s
stores_nothing 5 "$uid"
opens_nothing 5 "$uid"
ov kms remove main
ov kms add main --server "$one" "${access[@]}"
setting timeout 2s
opens

say "revoked while a run is under way: it stops, and makes no point"
noise 4000000 4 >big.raw
setting state_poll 1s
"$OBJVAULT" --json backup run big.raw --repo r --encrypt kms:main \
    --limit-upload 400K >"$out" 2>"$err" </dev/null &
pid=$!
had=$(grep -c /blocks/ names)
for ((i = 0; i < 100; i++)); do
    [ "$(objects ls | grep -c /blocks/)" -le "$had" ] || break
    sleep 0.1
done
key revoke superseded
rc=0
wait $pid || rc=$?
no_sanitizer_report
equal "$rc" 5 "exit code of the run"
field .error.message | grep -qi "deactivated" || fail "it does not say why"
ovj point list --repo r
equal "$(field '[.points[] | select(.vm == "big")] | length')" 0 "points of the run"
key activate
backup big.raw --encrypt kms:main
at_least "$(field '.vms[0].reused_blocks')" 1 "blocks that the next run uses"
objects ls >names

say "made anew under the same identifier, with other bytes"
value=$(key value)
[[ $value =~ ^[0-9a-f]{64}$ ]] || fail "the key's value"
key replace
stores_nothing 7 "$uid" "not the one"
opens_nothing 7 "not the one"
say "destroyed"
key revoke superseded
key destroy
stores_nothing 5 "$uid"
opens_nothing 5 "$uid"
say "all of them differ"
equal "$(sort -u texts | grep -c .)" "$(grep -c . texts)" "messages"
say "lost for good"
"$kms/server.sh" stop "$PWD/one"
ov kms remove main
opens --password-file rescue
