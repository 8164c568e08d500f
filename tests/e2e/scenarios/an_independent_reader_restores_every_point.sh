# shellcheck shell=bash
# tests/reader/read_point.py, written from manifest/FORMAT.md alone, restores
# full and incremental points without objvault.
# tags: quick
reader=$E2E/../reader/read_point.py
mkdir vm vm/etc
noise 1500000 1 >vm/a.raw
truncate -s 3M vm/b.raw
poke vm/b.raw 1000000 5000 2
echo one >vm/etc/config
make_repo --block-size 256K
for i in 1 2 3; do
    backup vm
    cp -r --sparse=always vm "state-$i"
    echo "$point" >"state-$i.point"
    poke vm/a.raw $((i * 300000)) 1000 $((10 + i))
    blank vm/b.raw 1000000 $((i * 1000))
    echo "$i" >>vm/etc/config
done
if on_s3; then
    from=$URL
    export AWS_ENDPOINT_URL=$OBJVAULT_TEST_S3_ENDPOINT
    export AWS_CA_BUNDLE=${OBJVAULT_TEST_S3_CA:-}
    [ -n "$AWS_CA_BUNDLE" ] || unset AWS_CA_BUNDLE
else
    from=${URL#file://}
fi
for i in 1 2 3; do
    python3 "$reader" "$from" "$(cat state-$i.point)" "read-$i" ||
        fail "the reader could not read point $i"
    diff -r "state-$i" "read-$i" || fail "point $i differs"
done
