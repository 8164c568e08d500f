# shellcheck shell=bash
# In a locked repository everything that a point needs is locked until the date
# that the point names, each run extends only what is short, and whoever has the
# keys can hide and overwrite, but neither delete a point nor keep it from being
# restored.
# tags: s3 quick
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-locked/$(basename "$URL")-$$

# locked_until POINT: in unix seconds.
locked_until() {
    ovj point show "$1" --repo r >&2
    date -d "$(field .point.locked_until)" +%s
}

# What the manifest and pages of a point name, one object a line.
needed() { # needed POINT
    local name id
    ov point export "$1" --repo r >&2
    cp "$out" .manifest
    echo objvault.json
    jq -r '(.disks + .files)[].pages[] | select(. != null)' .manifest |
        while read -r name; do
            echo "plain/pages/${name:0:2}/$name"
            objects get "plain/pages/${name:0:2}/$name" | zstd -dcq |
                jq -r '.blocks[] | select(. != null)
                       | if type == "array" then .[0], .[1] else . end
                       | select(. != null)' |
                while read -r id; do echo "plain/blocks/${id:0:2}/$id"; done
        done
    objects ls plain/points/ |
        grep "$(date -u -d "${1#*@}" +%Y%m%dT%H%M%SZ)"
}

# Each of them is locked until the date of the point, as an independent client
# sees it.
all_locked() { # all_locked POINT
    local until name have
    until=$(locked_until "$1")
    needed "$1" | sort -u >.needed
    objects locks >.locks
    at_least "$(wc -l <.needed)" 4 "objects that the point needs"
    while read -r name; do
        have=$(awk -v n="$name" '$1 == n && $3 > m { m = $3 }
            END { print m + 0 }' .locks)
        at_least "$have" "$until" "lock of $name"
    done <.needed
}

mkdir vm
noise 3000000 1 >vm/disk.raw
echo settings >vm/vm.cfg
make_repo --block-size 256K --create-bucket --immutable 1h --generation 30m
warns "below 4 hours"
ovj repo show r
equal "$(field '.repo | "\(.locked) \(.lock_mode) \(.immutable_seconds) \(.immutable_scope) \(.generation_seconds)"')" \
    "true compliance 3600 minimum 1800" "lock settings"

say "new objects are locked by their PUT: only the descriptor may be extended"
backup vm
one=$point
at_most "$(field '.vms[0].requests.retention')" 2 "extensions of the first run"
all_locked "$one"
say "what is locked for long enough is not called for again"
cp -r vm vm-one
poke vm/disk.raw 1000000 10 2
backup vm
two=$point
# Only what comes into its phase within these seconds.
at_most "$(field '.vms[0].requests.retention')" 3 "extensions of the second run"
all_locked "$one"
all_locked "$two"
say "a longer immutability of this machine extends everything"
ov repo set r --immutable 2h
refuses 2 repo set r --immutable 1h
says longer
backup vm
at_least "$(field '.vms[0].requests.retention')" 10 "extensions for two hours"
all_locked "$point"
say "without a state folder the dates are asked anew, and hold"
rm -rf "$OBJVAULT_STATE"
backup vm
all_locked "$point"
three=$point

say "a locked point cannot be deleted"
refuses 6 point delete "$two" --repo r --yes
says "locked until"
objects locks | grep -v '^gc/' >.locks
n=0
while read -r key version _; do
    ! objects rm-version "$key" "$version" 2>/dev/null ||
        fail "$key was deleted"
    n=$((n + 1))
done < <(head -n 5 .locks)
equal "$n" 5 "versions that were tried"

say "delete markers on everything, rubbish over everything, false manifests"
objects ls >.names
i=0
while read -r key; do
    i=$((i + 1))
    if [ $((i % 2)) -eq 0 ]; then
        objects rm "$key"
    else
        echo rubbish | objects put "$key"
    fi
done <.names
objects rm objvault.json
echo '{"objvault":1}' | objects put objvault.json
echo rubbish | objects put \
    plain/points/vm/20200101T000000Z-0123456789abcdef.json

ovj point list --repo r
equal "$(field '[.points[] | select(.state == "ok")] | length')" 4 "points"
restored "$one" back-one vm-one
restored "$two" back-two vm
restored "$three" back-three vm
ov point verify "$three" --repo r
ov point verify "$three" --repo r --level list
ovj repo stats r
equal "$(field '"\(.points) \(.damaged_points)"')" "5 1" "points, damaged ones"
other_machine
ov repo attach r "$URL" "${store[@]}"
restored "$two" back-other vm
say "and the next run has a whole point"
poke vm/disk.raw 2000000 10 3
backup vm
restored "$point" back-next vm
