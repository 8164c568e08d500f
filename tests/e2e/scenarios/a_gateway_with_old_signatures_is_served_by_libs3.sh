# shellcheck shell=bash
# The driver libs3 (signature version 2): full and incremental backup, listing,
# verification and restore, bit for bit; the driver s3 and the independent reader
# find the same repository.  Without its module it says what is missing and
# where; what libs3 cannot do safely is refused.
# tags: s3
module=$(dirname "$OBJVAULT")/objvault-libs3.so
case $OBJVAULT_TEST_S3_ENDPOINT in
https:*) skip "the driver libs3 refuses TLS; played over plain HTTP" ;;
esac
[ -e "$module" ] || skip "built without libs3-dev: no $module"
libs3=(--driver libs3 --endpoint "$OBJVAULT_TEST_S3_ENDPOINT")

say "no module: one line that says which file, where, and what to do"
mkdir alone
cp "$OBJVAULT" alone/objvault
real=$OBJVAULT
OBJVAULT=$PWD/alone/objvault
refuses 2 repo create r "$URL" "${libs3[@]}"
says "$PWD/alone/objvault-libs3.so"
says "/objvault/objvault-libs3.so"
says libs3-dev
OBJVAULT=$real
OBJVAULT_LIBS3=$PWD/nowhere.so refuses 2 repo create r "$URL" "${libs3[@]}"
says "$PWD/nowhere.so"
say "never from the current folder"
cp "$module" objvault-libs3.so
OBJVAULT_LIBS3=objvault-libs3.so refuses 2 repo create r "$URL" "${libs3[@]}"

say "what libs3 cannot do"
refuses 2 repo create r "$URL" --driver libs3
says "needs an endpoint"
refuses 2 repo create r "$URL" --driver libs3 --endpoint https://127.0.0.1:1
says "does not speak https"
refuses 2 repo create r "$URL" "${libs3[@]}" --ca "$PWD/alone/objvault"
refuses 2 repo create r "$URL/a b" "${libs3[@]}"
says "a b"
AWS_SESSION_TOKEN=t refuses 2 repo create r "$URL" "${libs3[@]}"
says "session token"

say "a locked repository"
python3 "$E2E/objects.py" "$URL/locked" put objvault.json \
    <"$E2E/../golden/v1/descriptor-locked.json"
refuses 1 repo attach locked "$URL/locked" "${libs3[@]}"
says "driver libs3 has no locks"

say "two that make one repository at once end with one"
for i in 1 2; do
    OBJVAULT_HOME=$PWD/racer-$i OBJVAULT_STATE=$PWD/racer-$i/state \
        "$OBJVAULT" repo create r "$URL/race" "${libs3[@]}" \
        >/dev/null 2>"racer-$i.err" &
done
wait
ids=()
for i in 1 2; do
    if [ -e "racer-$i/repos/r.json" ]; then
        OBJVAULT_HOME=$PWD/racer-$i ovj repo show r
        ids+=("$(field .repo.id)")
    else
        grep -qE 'already|somebody else' "racer-$i.err" ||
            fail "racer $i: $(cat "racer-$i.err")"
    fi
done
at_least ${#ids[@]} 1 "racers that made it"
equal "${ids[0]}" "${ids[-1]}" "the racers' repository"

at=$URL/main
say "a machine, its name not one of plain letters, full and incremental"
vm='Büro/web 01+a'
mkdir vm
noise 3000000 1 >vm/a.raw
truncate -s 6M vm/b.raw
poke vm/b.raw 1000000 5000 2
echo one >vm/config
# Without conditional puts there is something to warn of, and nothing more.
try repo create r "$at" "${libs3[@]}" --block-size 256K
equal "$rc" 3 "exit code of repo create"
grep -qi conditional "$err" || fail "no word about conditional PUTs"
ovj repo show r
equal "$(field .repo.driver)" libs3 "driver"
backup vm --vm "$vm"
first=$point
cp -r --sparse=always vm first
poke vm/a.raw 300000 1000 3
poke vm/b.raw 4000000 70000 4
backup vm --vm "$vm"
second=$point
ovj point list --repo r
equal "$(field '.points | length')" 2 "points"
ov point verify "$second" --repo r
ov point verify "$second" --repo r --level list
restored "$first" back-first first
restored "$second" back-second vm

say "a second repository at the same place is refused"
refuses 2 repo create again "$at" "${libs3[@]}"
says already

say "the driver s3 sees the same"
other_machine
ov repo attach r "$at" "${store[@]}"
restored "$second" back-s3 vm
backup vm --vm "$vm"
equal "$(field '.vms[0].new_blocks // .new_blocks // 0')" 0 "new blocks"

say "and so does the independent reader"
export AWS_ENDPOINT_URL=$OBJVAULT_TEST_S3_ENDPOINT
python3 "$E2E/../reader/read_point.py" "$at" "$second" read ||
    fail "the reader could not read $second"
diff -r vm read || fail "the reader's copy differs"

say "deleted through libs3"
other_machine
ov repo attach r "$at" "${libs3[@]}"
ov point delete "$first" --repo r --yes
ovj point list --repo r
equal "$(field '.points | length')" 2 "points left"

say "wrong keys and a missing bucket"
AWS_SECRET_ACCESS_KEY=wrong refuses 5 point list --repo r
refuses 4 repo attach none s3://objvault-no-such-bucket/x "${libs3[@]}"
says objvault-no-such-bucket
