# shellcheck shell=bash
# A keyset that a password opens, from the first run on: increments, restores, a
# wrong password, what the storage gets to see, and another password later.
# tags: quick
# not-tsan: it takes minutes there, and its threads are those of shorter ones
printf 'correct horse\n' >right
echo 'battery staple' >wrong
with=(--password-file right)

{
    for ((i = 0; i < 20000; i++)); do
        echo "the secret of disk line $i"
    done
} >text
mkdir secretvm
{
    cat text
    noise 6000000 1
} >secretvm/vda.raw
echo "vm.name = secretvm" >secretvm/machine.conf
make_repo --block-size 256K

say "the first run makes the keyset, and says nothing of the password"
backup secretvm --encrypt password "${with[@]}" --recovery-password-file rescue
first=$point
keyset=$(field '.vms[0].keyset')
[[ $keyset =~ ^k-[0-9a-f]{16}$ ]] || fail "keyset: $keyset"
! grep -q 'correct horse' "$out" "$err" || fail "the password is shown"
equal "$(stat -c %a rescue)" 600 "mode of the recovery password"

say "the second one is an increment in the same keyset"
cp -r secretvm before
poke secretvm/vda.raw 3000000 1000 2
backup secretvm --encrypt password "${with[@]}"
equal "$(field '.vms[0].kind')" incremental "kind"
equal "$(field '.vms[0].keyset')" "$keyset" "keyset"
at_most "$(field '.vms[0].new_blocks')" 2 "new blocks"

say "nothing that is stored says what it is"
objects ls >names
! grep -i secretvm names || fail "a name"
! grep -q plain/ names || fail "something in the clear"
while read -r name; do
    objects get "$name" >bytes
    ! grep -qaE 'secretvm|vda\.raw|secret of disk|machine\.conf|correct horse' bytes ||
        fail "$name in the clear"
    { zstd -dc bytes 2>/dev/null || true; } >unpacked
    ! grep -qaE 'secretvm|vda\.raw|secret of disk' unpacked || fail "$name: a frame"
done <names

say "without the password there is only the time of each point"
ovj point list --repo r
equal "$(field '[.points[] | select(.sealed and .vm == null)] | length')" 2 "sealed"
refuses 5 restore vm "$first" --repo r --to nowhere
says "password"

say "a wrong one opens nothing and makes nothing"
objects ls >names
refuses 5 point list --repo r --password-file wrong
refuses 5 restore vm "$first" --repo r --to nowhere --password-file wrong
refuses 5 backup run secretvm --repo r --encrypt password --password-file wrong
objects ls | diff names - || fail "something was stored"
[ ! -e nowhere ] || fail "something was restored"

say "a newer point in the clear is one that anybody can have made: a warning"
sleep 1
backup secretvm --encrypt none
clear=$point
ov restore vm secretvm@latest --repo r --to clear1 "${with[@]}"
grep -q "is in the clear" "$err" || fail "no warning"
ov point delete "$clear" --repo r --yes

say "a file that is no password is told so, one that others can use is a warning"
mkdir folder
: >empty
for file in missing folder empty; do
    refuses 2 point list --repo r --password-file $file
    says "$file"
done
chmod 644 right
ov point list --repo r "${with[@]}"
equal "$(grep -c "chmod 600" "$err")" 1 "warnings"
chmod 600 right
refuses 1 point list --repo r --password-command 'echo hunter2 >&2; exit 3'
says "exit status 3"
! grep -q hunter2 "$err" || fail "what a password command says is shown"
ov point list --repo r "${with[@]}"
grep -q "KEYSET" "$out" || fail "keysets are not shown"

say "nobody stores in the clear by mistake"
refuses 2 backup run secretvm --repo r
says "--encrypt"
refuses 2 backup run secretvm --repo r --encrypt password
says "--password-file"

say "each way to say it opens"
other_machine
attach_repo r
ov restore vm "$first" --repo r --to back1 --password-command 'cat right'
same_tree before back1
OBJVAULT_PASSWORD='correct horse' ov restore vm secretvm@latest --repo r --to back2
same_tree secretvm back2
ov restore vm "$first" --repo r --to back3 --password-file rescue
same_tree before back3
refuses 2 point list --repo r "${with[@]}" --password-command 'cat right'
ov point verify "$first" --repo r "${with[@]}"
ov repo check r --level full "${with[@]}"
try repo check r
equal "$rc" 3 "a check that cannot look"
try --json repo gc r --yes
equal "$rc $(field .keysets_skipped)" "3 1" "a collection that cannot look"
ov repo gc r --yes "${with[@]}"
ov restore vm "$first" --repo r --to back4 "${with[@]}"
