# shellcheck shell=bash
# All five strengths of compression: what is stored gets smaller from one to the
# next, is readable with zstd alone, and comes back.
# tags: quick
noise 300000 1 >piece
mkdir vm
# Words that repeat at a distance, between text that compresses by half.
for i in 1 2 3 4 5 6 7 8; do
    cat piece
    text 400000 "$i"
done >vm/disk.raw
before=
for strength in none fast optimal high extreme; do
    ov repo create "$strength" "$URL/$strength" "${store[@]}" --block-size 4M
    ovj backup run vm --repo "$strength" --compression "$strength"
    point=$(field '.vms[0].point')
    stored=$(field '.vms[0].stored_bytes')
    say "$strength: $stored bytes"
    [ -z "$before" ] || at_most "$stored" "$before" "bytes stored by $strength"
    before=$stored
    [ "$strength" != optimal ] || optimal=$stored
    [ "$strength" != none ] || at_least "$stored" $(($(stat -c %s vm/disk.raw) * 9 / 10)) \
        "bytes stored without compression"
    [ "$strength" != optimal ] ||
        at_most "$stored" $(($(stat -c %s vm/disk.raw) * 9 / 10)) "bytes stored"
    ov restore vm "$point" --repo "$strength" --to "back-$strength"
    same_tree vm "back-$strength"
    ov point verify "$point" --repo "$strength"
done

say "optimal is the default"
ov repo create default "$URL/default" "${store[@]}" --block-size 4M
ovj backup run vm --repo default
equal "$(field '.vms[0].stored_bytes')" "$optimal" "bytes stored"
