# shellcheck shell=bash
# In a bucket that keeps versions an object that is hidden or overwritten costs
# no point: repo check names it (exit 3) and --repair puts the good version
# again, with its lock. What was overwritten and lost its good version is damage.
# tags: s3 quick
bucket=${URL#s3://}
mkdir vm
noise 2000000 1 >vm/disk.raw

# overwrite_some: something over a block, a page, a manifest; .names.
overwrite_some() {
    for kind in blocks pages points; do
        objects ls plain/$kind/ | sed -n 1p
    done >.names
    while read -r name; do
        objects get "$name" >".good-$(basename "$name")"
    done <.names
    echo rubbish | objects put "$(sed -n 1p .names)"
    objects rm "$(sed -n 2p .names)"
    head -c 100 ".good-$(basename "$(sed -n 3p .names)")" |
        objects put "$(sed -n 3p .names)"
}

repaired() {
    while read -r name; do warns "$name is hidden or overwritten"; done <.names
    ovj repo check r --repair --level full
    equal "$(field '"\(.hidden) \(.repaired) \(.damaged)"')" "3 3 0" \
        "hidden, repaired, damaged"
    ov repo check r --level full
    while read -r name; do
        objects get "$name" >.now
        same .now ".good-$(basename "$name")"
    done <.names
}

say "a bucket with versions"
URL=s3://${bucket%%/*}-check/$(basename "$URL")
objects make
objects versioning
trap 'objects purge' EXIT
make_repo --block-size 256K
backup vm
overwrite_some
for level in list full; do
    try --json repo check r --level $level
    equal "$rc" 3 "exit code: points are whole, something needs attention"
    one_document
    equal "$(field '"\(.ok) \(.damaged_points) \(.damaged)"')" "true 0 0" \
        "ok, damaged points and objects"
    at_least "$(field .hidden)" 2 "hidden objects"
done
equal "$(field .hidden)" 3 "hidden objects"
repaired
restored "$point" back vm

say "without a good version it is damage"
name=$(sed -n 1p .names)
objects locks "$name" | while read -r key version _; do
    objects rm-version "$key" "$version"
done
echo rubbish | objects put "$name"
try --json repo check r --level full
equal "$rc" 7 "exit code"
warns "as it was uploaded"
say "content that never was a manifest is junk"
backup vm
echo '{}' | objects put plain/points/vm/20200101T000000Z-0123456789abcdef.json
ovj repo check r --level full
equal "$(field '"\(.junk) \(.damaged_points)"')" "1 0" "junk, damaged points"
trap - EXIT
objects purge

say "a locked one"
URL=s3://${bucket%%/*}-locked/$(basename "$URL")-$$
export OBJVAULT_HOME=$PWD/.home2 OBJVAULT_STATE=$PWD/.state2
make_repo --block-size 256K --create-bucket --immutable 1h --generation 30m
backup vm
overwrite_some
try repo check r --level full
equal "$rc" 3 "exit code"
repaired
while read -r name; do
    # The versions of one key: rubbish has no lock, the two good ones have one.
    objects locks "$name" >.locks
    equal "$(awk '$3 > 0 { print $3 }' .locks | sort -u | wc -l)" 1 \
        "lock dates of $name"
    equal "$(awk '$3 > 0' .locks | wc -l)" 2 "locked versions of $name"
done <.names
