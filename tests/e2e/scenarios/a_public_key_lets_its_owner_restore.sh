# shellcheck shell=bash
# A host seals for the owner of a private key, which lies elsewhere: it opens
# what was sealed, to read and not to write. Hints are shown where a password is
# refused, and all that opens a repository takes what opens keysets.
# tags: slow
echo one >one
echo two >two
openssl genpkey -algorithm X25519 -out x.key 2>/dev/null
openssl genrsa -out rsa.key 2048 2>/dev/null
chmod 600 x.key rsa.key
openssl pkey -in x.key -pubout -out x.pub
openssl pkey -in rsa.key -pubout -out rsa.pub
make_repo --block-size 256K
noise 700000 1 >disk.raw

say "a keyset is made for a password and a public key"
refuses 2 backup run disk.raw --repo r --public-key x.pub
refuses 2 backup run disk.raw --repo r --encrypt password --password-file one \
    --public-key one
[ -z "$(objects ls keysets/)" ] || fail "a keyset was made"
backup disk.raw --encrypt password --password-file one --public-key x.pub \
    --password-hint "the first number"
ov keyset add-slot --repo r --password-file one --public-key rsa.pub
ovj keyset show --repo r --private-key rsa.key
equal "$(field '[.slots[].type] | sort | join(" ")')" "password pubkey pubkey" \
    "types of slots"
equal "$(field '[.slots[].fingerprint | select(. != null)] | sort | join(" ")')" \
    "$(for k in x rsa; do openssl pkey -pubin -in $k.pub -outform DER |
        sha256sum | cut -c 1-64; done | sort | xargs)" "fingerprints"

for k in x rsa; do
    say "the private key $k.key reads, and writes nothing"
    ov restore disk "$point" --repo r --to "$k.raw" --private-key $k.key
    same_disk disk.raw "$k.raw"
    ov repo check r --level full --private-key $k.key
    refuses 5 keyset add-slot --repo r --private-key $k.key --new-password-file two
    chmod 640 $k.key
    refuses 2 point list --repo r --private-key $k.key
    says "can be used by others"
done
openssl genpkey -algorithm X25519 -out other.key 2>/dev/null
chmod 600 other.key
refuses 5 restore disk "$point" --repo r --to no.raw --private-key other.key

say "hints"
refuses 5 point list --repo r --password-file two
says "hint: the first number"
ov keyset change-password --repo r --password-file one --new-password-file two \
    --password-hint "the second"
ovj keyset show --repo r --password-file two
equal "$(field '.slots[] | select(.type == "password") | .hint')" "the second" "hint"
refuses 2 keyset add-slot --repo r --password-file two --kms x --password-hint no
refuses 2 backup run disk.raw --repo r --encrypt password --password-file two \
    --password-hint no

say "whatever opens a repository takes a password"
ov repo stats r --password-file two
ov repo leases r --password-file two
ov keyset list --repo r --password-file two
ov repo locks r --password-file two
ov repo recover --help
