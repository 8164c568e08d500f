# shellcheck shell=bash
# In buckets that keep versions: surplus versions go, what is locked stays until
# its date, and then the bucket holds one version of each object that a point
# needs, and no delete marker.
# tags: s3
bucket=${URL#s3://}
base=${bucket%%/*}
name=$(basename "$URL")-$$

# all_live: each key has one version, and nothing is there but the live set.
all_live() {
    objects versions >listed
    ! grep -q '^marker' listed || fail "delete markers"
    equal "$(sort listed | uniq -d | wc -l)" 0 "keys of several versions"
    equal "$(grep -vc 'gc/counter' listed)" "$1" "versions"
}

say "versions without locks"
URL=s3://$base-kept/$name
objects make
objects versioning
mkdir vm
noise 1500000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
one=$point
backup vm --full --upload all
noise 1500000 2 >vm/disk.raw
backup vm --full
two=$point
ov point delete "$one" --repo r --yes
ovj point list --repo r
ov point delete "$(field '.points[0].point')" --repo r --yes
objects put gc/probe-0011223344556677/x <<<x # too young to be of no use
ovj repo gc r --yes
at_least "$(field '.deleted.objects')" 13 "deleted versions"
objects get gc/probe-0011223344556677/x >/dev/null
objects versions gc/ | grep -q 'probe' || fail "a young object of a probe is gone"
all_live $((1 + 6 + 1 + 1 + 1)) # descriptor, blocks, page, manifest, probe
restored "$two" back vm

say "a delete marker of somebody else stops it"
key=$(objects ls plain/blocks/ | head -n 1)
objects rm "$key"
refuses 7 repo gc r --yes
says "repo recover"
ov repo recover r --yes
ov repo gc r --yes

say "locks of seconds"
ov repo remove r
URL=s3://$base-held/$name
lock=70 # longer than what comes until "deletes fail"
make_repo --block-size 256K --create-bucket --immutable ${lock}s --generation 4s
policy=(--retention 1d --timezone UTC)
# Points whose time will be over, of which surplus versions were put ...
for i in 1 2 3; do
    noise 1000000 $i >vm/disk.raw
    backup vm "${policy[@]}" --full --upload all
    backup vm "${policy[@]}" --full --upload all
done
over=$point
# ... one that is removed, one that is protected first, and three that stay
noise 1000000 4 >vm/disk.raw
backup vm "${policy[@]}" --full
gone=$point
noise 1000000 5 >vm/disk.raw
backup vm "${policy[@]}" --full
kept=$point
ov point protect "$kept" --repo r
for i in 6 7 8; do
    poke vm/disk.raw 0 300000 $i
    backup vm "${policy[@]}" --upload all --full
done
two=$point

say "what killed runs and collections, an attacker and a check leave"
for ms in 200 400 600; do
    noise 600000 $ms >vm/late.raw
    timeout -s KILL 0.$ms "$OBJVAULT" backup run vm/late.raw --repo r \
        --full --limit-upload 300K >/dev/null 2>&1 </dev/null || true
done
rm vm/late.raw
at_least "$(objects ls gc/leases/ | wc -l)" 2 "leases"
until=$(date -u -d "+$lock seconds" +%FT%TZ)
key=$(objects live | grep blocks | head -n 1)
objects put "$key" <<<"rubbish over a block"
objects retain "$key" COMPLIANCE "$until"
id=$(printf x | sha256sum | head -c 64)
objects put "plain/blocks/${id:0:2}/$id" <<<"never a block"
objects put "plain/pages/${id:0:2}/$id" <<<"never a page"
objects retain "plain/pages/${id:0:2}/$id" COMPLIANCE "$until"
objects put "gc/damaged/block-$id" </dev/null        # of what nobody needs
objects put "gc/damaged/page-$id" <<<"cleared"
objects put "gc/damaged/block-${key##*/}" <<<cleared # of what is needed
for old in 0011223344556677 8899aabbccddeeff; do
    began=$(date -u -d '-1 minute' +%FT%TZ)
    printf '{"objvault":1,"host":"h","pid":1,"begun":"%s","until":"%s",'`
        `'"ended":true,"vm":null,"lock":null}' "$began" "$began" |
        objects put gc/sweeps/$old gc/leases/$old
done

say "deletes of locked versions fail"
objects locks plain/points/ >manifests
OBJVAULT_NOW=$(date -u -d '+10 days' +%FT%TZ) ovj repo gc r --yes
equal "$(field '.expired_points')" 7 "points that are over" # 3 x 2, and one
awk -v now="$(date +%s)" '$3 > now' manifests | cut -d ' ' -f 1,2 | sort >locked
objects locks plain/points/ | cut -d ' ' -f 1,2 | sort >left
[ -z "$(comm -23 locked left)" ] || fail "locked manifests are gone"
at_least "$(field '.locked.objects')" 1 "what is locked"
[ "$(field .locked_last_until)" != null ] || fail "no date of what is locked"
OBJVAULT_NOW=$(date -u -d '+10 days' +%FT%TZ) ov repo gc r --yes
grep -q '^Still locked' "$out" || fail "the text does not say what is locked"
objects locks >dates
refused=0
while read -r key version until; do
    [ "$until" -gt $(($(date +%s) + 5)) ] || continue
    ! objects rm-version "$key" "$version" 2>/dev/null ||
        fail "$key was deleted while it is locked"
    refused=$((refused + 1))
done < <(shuf -n 40 dates)
at_least $refused 10 "locked versions that were tried"
restored "$two" back-two vm

say "after their dates and a collection the bucket holds the live set"
sleep $((lock + 6))
try point delete "$gone" --repo r --yes # it is over as well
# Who held them was killed here: else they count for an hour and a half.
for key in $(objects ls gc/leases/); do objects rm "$key"; done
objects versions | grep -q '^marker gc/leases/' || fail "no delete marker to remove"
OBJVAULT_NOW=$(date -u -d '+10 days' +%FT%TZ) ovj repo gc r --yes
equal "$(field '.locked.objects')" 0 "what is locked"
objects versions plain/keep/ >keeps
equal "$(wc -l <keeps)" 1 "marks of protected points"
refuses 5 point delete "$kept" --repo r --yes
ov point unprotect "$kept" --repo r
holds_live_set
verify_all
ovj point list --repo r
equal "$(field '.points | length')" 4 "points"
refuses 4 point show "$over" --repo r
restored "$two" back-held vm
ovj repo gc r --yes
equal "$(field '.deleted.objects + .tidied')" 0 "what is left to do"
ov repo check r --level full
