# shellcheck shell=bash
# What `point list`, `show`, `export` and `delete` say, and what a deleted point
# leaves: the others stay whole.
# tags: quick
mkdir vm
noise 900000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
one=$point
poke vm/disk.raw 0 10 2
backup vm
two=$point
noise 400000 3 >other.raw
backup other.raw

ov point list --repo r
grep -q "$one" "$out" || fail "the list does not show $one"
ovj point list --repo r
equal "$(field '[.points[] | .kind + " " + .state] | sort | join(", ")')" \
    "full ok, full ok, incremental ok" "kinds and states"
equal "$(field ".points[] | select(.point == \"$two\").parent != null")" true \
    "the increment has a parent"
equal "$(field ".points[] | select(.point == \"$two\").chain ==
    (.chain // empty)")" true "the increment has a chain"
equal "$(field '[.points[] | select(.vm == "vm").source_bytes] | unique | join(" ")')" \
    900000 "source_bytes"
ovj point list --repo r --vm other
equal "$(field '.points | length')" 1 "points of one VM"

ovj point show vm@latest --repo r
equal "$(field .point.point)" "$two" "the latest point"
equal "$(field '.point.disks[0] | "\(.name) \(.size) \(.block_size)"')" \
    "disk.raw 900000 262144" "its disk"
ov point show "$one" --repo r

ov point export "$two" --repo r
jq -e . "$out" >/dev/null || fail "the export is no JSON"
objects get "$(objects ls plain/points/vm/ | tail -n 1)" >manifest
jq -S . manifest >a.json
jq -S . "$out" >b.json
same a.json b.json

say "the machine's history under another uuid or source is not mixed"
mkdir elsewhere
cp -r vm elsewhere/vm
refuses 2 backup run elsewhere/vm --repo r
backup elsewhere/vm --vm vm2
backup elsewhere/vm --adopt

say "delete"
ov point delete "$one" --repo r --yes --dry-run
ov point show "$one" --repo r
ov point delete "$one" --repo r --yes
refuses 4 point show "$one" --repo r
ov point verify "$two" --repo r
restored "$two" back vm
