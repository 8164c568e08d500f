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
    objects versions >versions
    ! grep -q '^marker' versions || fail "delete markers"
    equal "$(sort versions | uniq -d | wc -l)" 0 "keys of several versions"
    equal "$(grep -vc 'gc/counter' versions)" "$1" "versions"
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
noise 1500000 3 >vm/disk.raw
make_repo --block-size 256K --create-bucket --immutable 12s --generation 4s
backup vm
one=$point
noise 1500000 4 >vm/disk.raw
backup vm --full
two=$point
sleep 2
ovj repo gc r --yes
equal "$(field '.deleted.objects')" 0 "objects deleted while they are needed"
noise 300000 5 >vm/disk.raw
timeout -s KILL 0.3 "$OBJVAULT" backup run vm --repo r --full --limit-upload 100K \
    >/dev/null 2>&1 </dev/null || true
noise 1500000 4 >vm/disk.raw
while :; do
    try point delete "$one" --repo r --yes
    [ "$rc" -ne 0 ] || break
    equal "$rc" 6 "exit code while it is locked"
    sleep 1
done
while :; do
    ovj repo gc r --yes
    [ "$(field .locked.objects)" -gt 0 ] || break
    [ "$(field .locked_last_until)" != null ] || fail "no date of what is locked"
    sleep 1
done
sleep 2
ovj repo gc r --yes
objects versions | grep -v ' gc/' >held
! grep -q '^marker' held || fail "delete markers"
equal "$(wc -l <held)" $((1 + 6 + 1 + 1)) "versions at the end"
restored "$two" back-held vm
