# shellcheck shell=bash
# Until a point's date the server lets nobody delete it; after it has passed the
# point can be deleted, and no delete marker stays.
# tags: s3
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-short/$(basename "$URL")-$$
mkdir vm
noise 300000 1 >vm/disk.raw
make_repo --create-bucket --immutable 12s --generation 4s
backup vm
ovj point show "$point" --repo r
until=$(date -d "$(field .point.locked_until)" +%s)
at_least "$until" $(($(date +%s) + 6)) "lock date"
refuses 6 point delete "$point" --repo r --yes
says "locked until"
# cover() adds less than a generation.
while [ "$(date +%s)" -le $((until + 4)) ]; do sleep 1; done
ov point delete "$point" --repo r --yes
equal "$(objects versions plain/points/ | wc -l)" 0 \
    "versions and delete markers of manifests"

say "with the scope retention nothing is locked for more than a hundred years"
ov repo remove r
URL=$URL-r
make_repo --immutable 12s --generation 4s --immutable-scope retention
refuses 2 backup run vm --repo r --retention 1000000d
says "a hundred years"
equal "$(objects ls plain/ | wc -l)" 0 "objects that were put"
