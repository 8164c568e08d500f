# shellcheck shell=bash
# The same data costs as many blocks and bytes in an encrypted keyset as in the
# clear, run by run; in two keysets nothing is shared, not one name.
# tags: slow
echo one >one
echo two >two
mkdir vm twin
noise 2500000 1 >vm/disk.raw
noise 262144 9 >piece
cat piece piece piece >>vm/disk.raw # the same within a disk
truncate -s 6M vm/disk.raw
echo settings >vm/machine.conf
cp vm/disk.raw twin/other-name.raw
cp vm/disk.raw was.raw
make_repo --block-size 256K

# The same runs, into one keyset each: full, increment, twin, full again.
runs() { # runs OUT OPTION...: what each run read, stored and reused
    local to=$1
    shift
    cp was.raw vm/disk.raw
    : >"$to"
    for i in 1 2 3 4; do
        case $i in
        2) poke vm/disk.raw 700000 50000 2 ;;
        esac
        case $i in
        3) backup twin "$@" ;;
        4) backup vm --full "$@" ;;
        *) backup vm "$@" ;;
        esac
        field '.vms[0] | "\(.kind) \(.read_bytes) \(.new_blocks) \(.reused_blocks)"' >>"$to"
    done
}
size() { # size PREFIX: blocks, and their bytes
    grep "^$1" stored | awk '{ n++; bytes += $2 } END { print n, bytes }'
}
runs plain.runs --encrypt none
runs one.runs --encrypt password --password-file one
k1=$(field '.vms[0].keyset')
runs two.runs --encrypt password --password-file two --keyset other
k2=$(field '.vms[0].keyset')
[ "$k1" != "$k2" ] || fail "one keyset for two labels"
cat plain.runs
equal "$(cut -d' ' -f3 plain.runs | sed -n 3p)" 0 "blocks that the twin stores"
diff plain.runs one.runs || fail "a keyset stores something else than plain"
diff one.runs two.runs || fail "two keysets differ"

objects sums >stored
say "as many blocks, each larger by its head and tag alone"
read -r n bytes < <(size plain/blocks/)
equal "$(size "$k1/blocks/")" "$n $((bytes + 33 * n))" "blocks of a keyset"
equal "$(size "$k2/blocks/")" "$n $((bytes + 33 * n))" "blocks of the other"

say "not one name, and not one body, is in two of them"
cut -d' ' -f1 stored | grep -E '/(blocks|pages|points)/' >names
for k in plain "$k1" "$k2"; do
    grep "^$k/" names | sed -E 's,.*/points/([^/]*)/[0-9TZ]*-([0-9a-f]*)\.json,\1 \2,; s,.*/,,' |
        tr ' ' '\n' | sort -u >"names.$k"
done
for pair in "plain $k1" "plain $k2" "$k1 $k2"; do
    comm -12 "names.${pair% *}" "names.${pair#* }" >both
    [ ! -s both ] || fail "in two keysets: $(cat both)"
done
grep -E '/(blocks|pages)/' stored | cut -d' ' -f3 | sort | uniq -d >both
[ ! -s both ] || fail "equal objects"
