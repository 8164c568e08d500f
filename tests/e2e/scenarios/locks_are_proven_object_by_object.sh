# shellcheck shell=bash
# `repo locks` tells at once until when each point is visible and locked, and
# with --verify asks the server for every object: what falls short is listed with
# its dates and a point that needs it (exit 7).  Keys that may not see locks are
# told so (exit 5), and no alarm is raised.
# tags: s3 quick
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-proven/$(basename "$URL")-$$

sec() { # sec ISO
    date -u -d "$1" +%s
}

short_of() { # short_of KEY: its finding, one word each
    field ".verify.findings[] | select(.key == \"$1\")
        | \"\(.kind) \(.mode) \(.point)\""
}

run_of() { # one run, whatever it warns of; leaves its point in $point
    try --json backup run "$@" --repo r
    [ "$rc" -eq 0 ] || [ "$rc" -eq 3 ] || fail "backup run: exit $rc"
    point=$(field '.vms[0].point')
}

mkdir vm
noise 3000000 1 >vm/disk.raw
# Of this mode only can a lock be shortened, and some servers let anybody do it.
try repo create r "$URL" "${store[@]}" --block-size 256K --create-bucket \
    --immutable 5h --generation 1h --lock-mode governance
[ "$rc" -eq 0 ] || [ "$rc" -eq 3 ] || fail "repo create: exit $rc"
run_of vm --retention 14d --timezone UTC
one=$point
poke vm/disk.raw 1000000 10 2
run_of vm --retention 14d --timezone UTC
two=$point

say "dates from the manifests, at once"
ovj repo locks r
equal "$(field '[.points[].point] | join(" ")')" "$one $two" "points"
equal "$(field '"\(.locked) \(.verify) \(.points[0].state)"')" "true null ok" \
    "members"
equal "$(field '[.points[] | select(.visible_until > .locked_until)] | length')" \
    2 "points that are visible for longer than they are locked"
until=$(sec "$(field .points[1].locked_until)")
equal "$(sec "$(field .empty_from)")" "$until" "empty from"
equal "$(sec "$(field .empty_by)")" $((until + 3600)) "empty by"
ov repo locks r
grep -q "EVERY OBJECT LOCKED UNTIL" "$out" || fail "no heading"

say "object by object: all is well, and nothing local is needed for it"
for round in 1 2; do
    ovj repo locks r --verify
    equal "$(field '.verify | "\(.points) \(.short) \(.missing) \(.not_allowed)"')" \
        "2 0 0 0" "what was found ($round)"
    asked=$(field .verify.asked)
    equal "$asked" "$(field .verify.objects)" "objects that were asked for"
    # Blocks, an overlay, two maps' pages, manifests, descriptor.
    equal "$asked" "$(objects ls | grep -vc '^gc/')" "objects that there are"
    equal "$(field .empty_from)" "$(field .empty_by)" "a date that is known"
    objects locks >.locks
    equal "$(sec "$(field .verify.latest)")" \
        "$(grep -v '^gc/' .locks | awk '$3 > m { m = $3 } END { print m }')" \
        "the latest date, as an independent client sees it"
    rm -rf "$OBJVAULT_STATE"
done
ovj repo locks r --verify --sample 1%
at_most "$(field .verify.asked)" "$asked" "objects of a sample"
at_least "$(field .verify.asked)" 4 "objects of a sample"

say "keys that may not see locks"
policy='{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]},
 {"Effect":"Deny","Action":["s3:GetObjectRetention"],"Resource":["arn:aws:s3:::*"]}]}'
mapfile -t keys < <(objects session "$policy")
if [ "${#keys[@]}" -eq 3 ]; then
    (
        export AWS_ACCESS_KEY_ID=${keys[0]} AWS_SECRET_ACCESS_KEY=${keys[1]} \
            AWS_SESSION_TOKEN=${keys[2]}
        refuses 5 repo locks r --verify
        says "may not see the locks"
        equal "$(field '.verify | "\(.short) \(.not_allowed)"')" "0 $asked" \
            "what was found"
    )
else
    fail "no session: ${keys[*]}"
fi

say "rubbish over a locked version changes nothing"
block=$(objects ls plain/blocks/ | head -n 1)
echo rubbish | objects put "$block"
objects rm "$(objects ls plain/pages/ | head -n 1)"
ovj repo locks r --verify
equal "$(field .verify.short)" 0 "short ones"

say "what was shortened is listed"
soon=$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)
block=$(objects ls plain/blocks/ | tail -n 1)
manifest=$(objects ls plain/points/ | head -n 1)
for key in "$block" "$manifest" objvault.json; do
    objects retain "$key" GOVERNANCE "$soon" bypass
done
try --json repo locks r --verify
equal "$rc" 7 "exit code"
equal "$(field '"\(.ok) \(.error.code) \(.verify.short)"')" "false corrupt 3" \
    "what was found"
equal "$(short_of "$block" | cut -d@ -f1)" "short governance vm" "the block"
equal "$(short_of "$manifest")" "short governance $one" "the manifest"
# Both points need it until the same date.
equal "$(short_of objvault.json | cut -d@ -f1)" "short governance vm" \
    "the descriptor"
equal "$(field '[.verify.findings[].locked_until] | unique | join(" ")')" \
    "$soon" "dates that they have"
equal "$(sec "$(field '.verify.findings[] | select(.key == "objvault.json")
    | .wanted_until')")" "$until" "the date that the descriptor should have"
try repo locks r --verify
equal "$rc" 7 "exit code"
warns "$block, version"
warns "should be until"

say "the next run makes it whole for its own point"
rm -rf "$OBJVAULT_STATE" # its index believes in the dates that it set
run_of vm
ovj repo locks r
try --json repo locks r --verify
[ "$(short_of objvault.json)" = "" ] || fail "the descriptor is short"

say "usage"
refuses 2 repo locks r --sample 5%
says "--verify"
other_machine
ov repo create plain "file://$PWD/plain"
ovj repo locks plain
equal "$(field '"\(.locked) \(.points | length) \(.empty_from)"')" \
    "false 0 null" "members"
ov repo locks plain
grep -q "nothing is locked" "$out" "$err" || fail "no word about it"
refuses 2 repo locks plain --verify
