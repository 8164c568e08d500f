# shellcheck shell=bash
# A keyset whose data key a key of a KMIP server wraps: backup, increment and
# restore, a server that is away, one that knows nothing of the key, and a
# recovery password for the day when the server is lost.
# tags: file
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
equal "$(grep -c . "$err")" 1 "lines on stderr"
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
chmod 644 pki/client.key
refuses 2 config check
warns "chmod 600"
chmod 600 pki/client.key

say "a key of the server opens the keyset, and no password is asked for"
refuses 4 backup run disk.raw --repo r --encrypt kms:other
say "what is wrong here is said before the server makes a key"
echo mine >there
keys() { # how many the server has
    python3 -c 'import sqlite3; print(sqlite3.connect("kms1/pykmip.db")
        .execute("select count(*) from managed_objects").fetchone()[0])'
}
had=$(keys)
refuses 2 backup run disk.raw --repo r --encrypt kms:main --recovery-password-file there
refuses 4 backup run disk.raw --repo r --encrypt kms:main --recovery-password-file no/folder
refuses 2 backup run disk.raw --repo r --encrypt kms:main --keyset "$(printf '%0300d' 1)"
equal "$(keys)" "$had" "keys at the server"
equal "$(cat there)" mine "the file that was there"
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

say "a job that chooses it speaks to it first, and makes no key yet"
mkdir vms
truncate -s 1M vms/web1.raw
ov source add lab dir:vms
had=$(keys)
ov job create sealed --vm lab:web1 --repo r --encrypt kms:main
equal "$(keys)" "$had" "keys at the server"
ov job delete sealed --yes

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
equal "$(grep -c . "$err")" 1 "lines on stderr"
warns "--password-file"
ov restore disk "$first" --repo r --to back3.raw --password-file rescue
same back3.raw before.raw
refuses 8 job create sealed --vm lab:web1 --repo r --encrypt kms:renamed
[ ! -e "$OBJVAULT_HOME/jobs/sealed.json" ] || fail "the job is saved"
say "a recovery password opens however it is written, and is asked for then"
typed=$(tr -d -- '-\n' <rescue | tr '[:lower:]' '[:upper:]')
python3 "$E2E/terminal.py" shown "$typed" -- \
    "$OBJVAULT" restore disk "$first" --repo r --to back4.raw ||
    fail "exit $? on a terminal: $(cat shown)"
same back4.raw before.raw
grep -q "Password of repository r" shown || fail "nobody was asked: $(cat shown)"
"$kms/server.sh" again "$PWD/kms1" >/dev/null || fail "it did not start again"

say "a password beside it, and another key"
echo one >one
ov keyset add-slot --repo r --new-password-file one
ov keyset add-slot --repo r --kms renamed
ovj keyset show --repo r --password-file one
equal "$(field '[.slots[].type] | sort | join(" ")')" "kms kms password recovery" "slots"
