# shellcheck shell=bash
# In a bucket with versioning a deleted point is gone, and leaves neither an
# old version nor a delete marker of its manifest.
# tags: s3 quick
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-versioned/$(basename "$URL")
objects make
objects versioning
trap 'objects purge' EXIT

mkdir vm
noise 900000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
one=$point
poke vm/disk.raw 0 10 2
backup vm
two=$point
mapfile -t manifests < <(objects ls plain/points/)
equal "${#manifests[@]}" 2 "manifests"
equal "$(objects versions plain/points/ | wc -l)" 2 "versions of manifests"

ov point delete "$one" --repo r --yes
refuses 4 point show "$one" --repo r
ovj point list --repo r
equal "$(field '[.points[].point] | join(" ")')" "$two" "points"
equal "$(objects versions plain/points/)" "version ${manifests[1]}" \
    "versions and delete markers of manifests"
ov point verify "$two" --repo r
restored "$two" back vm

say "another machine sees the same"
other_machine
attach_repo r
ovj point list --repo r
equal "$(field '[.points[].point] | join(" ")')" "$two" "points"
