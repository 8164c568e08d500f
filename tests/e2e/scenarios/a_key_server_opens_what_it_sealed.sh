# shellcheck shell=bash
# A keyset whose data key a key of a KMIP server wraps: backup, increment and
# restore, a server that is away, one that knows nothing of the key, and a
# recovery password for the day when the server is lost.
# tags: file quick
kms=$E2E/../../kms-test
"$kms/server.sh" find 2>/dev/null || skip "no KMIP server is installed"
"$kms/pki.sh" "$PWD/pki" >/dev/null 2>&1 || fail "no certificates"
"$kms/server.sh" start "$PWD/kms1" "$PWD/pki" >/dev/null || fail "no key server"
trap '"$kms/server.sh" stop "$PWD/kms1"' EXIT
port=$(cat kms1/port)
access=(--ca pki/ca.crt --cert pki/client.crt --key pki/client.key)
noise 700000 1 >disk.raw
make_repo --block-size 256K

say "only a server that answers as it should is configured"
refuses 8 kms add main --server 127.0.0.1:1 "${access[@]}"
try kms add main --server "127.0.0.1:$port" --ca pki/other-ca.crt \
    --cert pki/client.crt --key pki/client.key
equal "$rc" 5 "exit code with another CA"
warns "does not verify"
refuses 2 kms add main --server 'a b' "${access[@]}"
refuses 4 kms show main
ovj kms add main --server "127.0.0.1:$port" "${access[@]}"
equal "$(field '.kms.server')" "127.0.0.1:$port" "server"
refuses 2 kms add main --server "127.0.0.1:$port" "${access[@]}"
ovj kms test main
equal "$(field '.servers | length')" 1 "servers that answered"
ovj kms list
equal "$(field '.kms[0].name')" main "name"
ovj kms show main
ov config check

say "a key of the server opens the keyset, and no password is asked for"
refuses 4 backup run disk.raw --repo r --encrypt kms:other
backup disk.raw --encrypt kms:main --recovery-password-file rescue
first=$point
cp disk.raw before.raw
poke disk.raw 1000 10 2
backup disk.raw --encrypt kms:main
equal "$(field '.vms[0].kind')" incremental "kind"
ovj keyset show --repo r
equal "$(field '[.slots[] | .type + ":" + (.kms // "")] | sort | join(" ")')" \
    "kms:main recovery:" "slots"
restored_disk "$first" disk.raw back.raw before.raw

say "its name on this machine is only a hint"
ov kms remove main
refuses 5 restore disk "$first" --repo r --to no.raw
ov kms add renamed --server "127.0.0.1:$port" "${access[@]}"
ov restore disk "$first" --repo r --to back2.raw
same back2.raw before.raw

say "a server that is away is told from a wrong key"
"$kms/server.sh" stop "$PWD/kms1"
try restore disk "$first" --repo r --to no.raw # (it waits, so only once)
equal "$rc" 8 "exit code without the server"
ov restore disk "$first" --repo r --to back3.raw --password-file rescue
same back3.raw before.raw
"$kms/server.sh" again "$PWD/kms1" >/dev/null || fail "it did not start again"

say "a password beside it, and another key"
echo one >one
ov keyset add-slot --repo r --new-password-file one
ov keyset add-slot --repo r --kms renamed
ovj keyset show --repo r --password-file one
equal "$(field '[.slots[].type] | sort | join(" ")')" "kms kms password recovery" "slots"
