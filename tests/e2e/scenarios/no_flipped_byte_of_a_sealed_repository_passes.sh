# shellcheck shell=bash
# Every byte of a sealed block, page, manifest and slot is flipped in turn by an
# independent client: each time it is refused, and the object is named.  Sealed
# objects are moved, too: within a keyset, from one to another, and from another
# repository.
# tags: slow
python3 -c 'import cryptography' 2>/dev/null || skip "no cryptography for Python"
sealed() { # sealed VERB ARG...: past objvault (sealed.py)
    python3 "$E2E/sealed.py" "$URL" "$@" || fail "sealed.py $*"
}
short() { # the name by which messages know an object
    basename "$1" .json | cut -c1-8
}
stamp() { # stamp POINT: its time as in names of objects
    date -u -d "${1#*@}" +%Y%m%dT%H%M%SZ
}
# The directory has each byte; S3 has each of what is small, and a fifth of what
# takes time (a slot, where a password is stretched); a sanitizer has a part.
step=1 small=1
if under_sanitizer; then
    step=25 small=10
elif on_s3; then
    step=5
fi

echo one >one
echo two >two
mkdir vm
text 40 1 >vm/a.raw
make_repo --block-size 256K
backup vm --encrypt password --password-file one
older=$point
text 40 2 >vm/a.raw
backup vm --encrypt password --password-file one
newer=$point
keyset=$(field '.vms[0].keyset')
slot=$(objects ls "keysets/$keyset/")
sealed cheap one "$slot"
with=(--repo r --password-file one)
verify=("$OBJVAULT" point verify "$newer" "${with[@]}")
ov point verify "$newer" "${with[@]}"

mapfile -t blocks < <(objects ls "$keyset/blocks/")
equal "${#blocks[@]}" 2 "blocks of the keyset"
# The block and the page of the newer point are those whose loss breaks it.
ours() { # ours PREFIX
    local key
    for key in $(objects ls "$1"); do
        objects get "$key" >good
        objects rm "$key"
        try point verify "$newer" "${with[@]}"
        objects put "$key" <good
        [ "$rc" -eq 0 ] || echo "$key"
    done | grep /
}
block=$(ours "$keyset/blocks/")
page=$(ours "$keyset/pages/")
manifest=$(objects ls "$keyset/points/" | grep "$(stamp "$newer")")
name=$(basename "$manifest" .json)

say "each byte of a block, a page, a manifest and a slot"
sealed flip $small "$block" 7 "$(short "$block")" "${verify[@]}"
sealed flip $small "$page" 7 "$(short "$page")" "${verify[@]}"
sealed flip $step "$manifest" 7 "${name##*-}" "${verify[@]}"
sealed flip $step "$slot" 5 "$(basename "$slot" .json)" "${verify[@]}"
ov point verify "$newer" "${with[@]}"

say "each byte of a manifest whose name fits what it holds"
n=$(sealed forge "$manifest")
ovj point list "${with[@]}"
equal "$(field "[.points[] | select(.keyset == \"$keyset\" and .state == \"damaged\")] | length")" \
    "$n" "forged manifests that are damaged"
ov point verify "$older" "${with[@]}"
sealed unforge "$manifest"

# broken WHAT WORD: the newer point is refused, WORD is named, nothing is
# restored.
broken() {
    refuses 7 restore disk "$newer" --to back.raw "${with[@]}"
    says "$2"
    [ ! -e back.raw ] || fail "$1: restored all the same"
}
say "two blocks swapped"
twin=${blocks[0]}
[ "$twin" != "$block" ] || twin=${blocks[1]}
objects get "$block" >good
objects get "$twin" >good2
objects put "$block" <good2
objects put "$twin" <good
broken "another block of the keyset" "$(short "$block")"
refuses 7 restore disk "$older" --to back.raw "${with[@]}"
says "$(short "$twin")"
objects put "$twin" <good2

say "a block of another keyset, of the same content"
backup vm --encrypt password --password-file two --keyset other
other=$(field '.vms[0].keyset')
slot2=$(objects ls "keysets/$other/")
sealed cheap two "$slot2"
objects get "$(objects ls "$other/blocks/")" | objects put "$block"
broken "a block of another keyset" "$(short "$block")"
objects put "$block" <good

say "an older manifest in place of a newer one, and under a name that fits it"
was=$(objects ls "$keyset/points/" | grep "$(stamp "$older")")
objects get "$manifest" >good
objects get "$was" | objects put "$manifest"
broken "an older manifest" "${name##*-}"
objects rm "$manifest"
fits=${was##*-}
objects get "$was" | objects put "${manifest%-*}-$fits"
broken "an older manifest with its hash" "${fits%.json}"
objects rm "${manifest%-*}-$fits"
objects put "$manifest" <good

say "slots that were moved: between keysets, and from another repository"
closed() { # closed WHAT
    refuses 5 restore disk "$newer" --to back.raw "${with[@]}"
    says "$keyset"
    [ ! -e back.raw ] || fail "$1: restored all the same"
}
objects get "$slot" >good
objects get "$slot2" | objects put "$slot"
with=(--repo r --password-file two)
try point verify "$newer" "${with[@]}"
equal "$rc" 5 "exit code with the slot of another keyset"
warns "$slot cannot be used"
objects put "$slot" <good
sealed moved "$slot2" "$slot"
closed "a slot of another keyset that says it is of this one"
objects put "$slot" <good

echo three >three
ov repo create second "$URL-second" "${store[@]}" --block-size 256K
ovj backup run vm --repo second --encrypt password --password-file three
elsewhere() { # elsewhere VERB ARG...: in that repository
    python3 "$E2E/objects.py" "$URL-second" "$@"
}
elsewhere get "$(elsewhere ls keysets/)" >foreign
elsewhere drop
with=(--repo r --password-file three)
objects put "$slot" <foreign
try point verify "$newer" "${with[@]}"
equal "$rc" 5 "exit code with the slot of another repository"
warns "$slot cannot be used"
jq -c --argjson was "$(cat good)" '. + {repo: $was.repo, keyset: $was.keyset,
    slot: $was.slot, gen: $was.gen}' foreign | tr -d '\n' | objects put "$slot"
closed "a slot of another repository that says it is of this one"

say "the whole again"
objects put "$slot" <good
with=(--repo r --password-file one)
ov restore disk "$newer" --to back.raw "${with[@]}"
same back.raw vm/a.raw
