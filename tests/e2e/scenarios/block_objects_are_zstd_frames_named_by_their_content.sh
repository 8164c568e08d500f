# shellcheck shell=bash
# Every block object is one zstd frame; the SHA-256 of what it holds is its
# name, and no block of zeros is stored.  Checked with zstd and sha256sum.
# tags: quick
mkdir vm
noise 1500000 1 >vm/a.raw
text 1500000 2 >vm/b.raw
truncate -s 4M vm/b.raw
make_repo --block-size 256K
backup vm
n=0
for key in $(objects ls plain/blocks/); do
    objects get "$key" >object
    zstd -dq -c object >content || fail "$key: zstd cannot read it"
    equal "$(sha256sum <content | cut -c1-64)" "${key##*/}" "SHA-256 of $key"
    equal "${key%/*}" "plain/blocks/$(basename "$key" | cut -c1-2)" "folder"
    # One frame, with the content's size in its header.
    listed=$(zstd -lv object 2>/dev/null)
    grep -qE 'Zstandard Frames: 1$' <<<"$listed" || fail "$key: $listed"
    grep -q "($(stat -c %s content) B)" <<<"$listed" || fail "$key: no size: $listed"
    [ -n "$(tr -d '\0' <content | head -c 1)" ] || fail "$key holds zeros"
    n=$((n + 1))
done
equal "$n" 12 "blocks"
