# shellcheck shell=bash
# A locked repository is not made in a bucket that would not hold its locks, and
# no run writes to one that has become so.
# tags: s3 quick
bucket=${URL#s3://}
bucket=${bucket%%/*}
name=$(basename "$URL")

# fresh KIND: a bucket of its own.
fresh() {
    URL=s3://$bucket-$1-$$/$name
}

say "without versions, without lock, with a default retention"
fresh plain
objects make
refuses 2 repo create r "$URL" "${store[@]}" --immutable 1h
says "keeps no versions"
refuses 2 repo create r "$URL" "${store[@]}" --immutable 1h --create-bucket
objects versioning
refuses 2 repo create r "$URL" "${store[@]}" --immutable 1h
says "no object lock"
objects purge
fresh default
objects make-locked
objects default-retention COMPLIANCE 1
refuses 2 repo create r "$URL" "${store[@]}" --immutable 1h
says "default retention"
objects purge

say "with a lifecycle that touches the prefix"
fresh tidy
objects make-locked
objects lifecycle "$name/plain"
refuses 2 repo create r "$URL" "${store[@]}" --immutable 1h
says '"tidy"'
objects lifecycle logs/
make_repo --immutable 20s --generation 10s

say "and a run does not begin where one of them came later"
mkdir vm
noise 300000 1 >vm/disk.raw
backup vm
objects lifecycle "$name/"
refuses 2 backup run vm --repo r
says '"tidy"'
objects lifecycle logs/
objects default-retention COMPLIANCE 1
refuses 2 backup run vm --repo r
says "default retention"

say "nor where the time is shifted and the locks are not"
fresh shifted
ov repo remove r
make_repo --immutable 20s --generation 10s --create-bucket
export OBJVAULT_NOW=2027-01-01T00:00:00Z
refuses 2 backup run vm --repo r
says OBJVAULT_NOW_LOCKS
unset OBJVAULT_NOW

say "other drivers have no locks, and other options no use without"
refuses 2 repo create x "file://$PWD/folder" --immutable 1d
says "driver file"
refuses 2 repo create x "$URL" "${store[@]}" --generation 1d
says "--immutable"
