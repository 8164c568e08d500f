# shellcheck shell=bash
# A damaged, missing or swapped block, page or manifest is named by
# `point verify` (exit 7), and a restore refuses and leaves no file.
# tags: quick
# not-tsan: it takes minutes there, and its threads are those of shorter ones
mkdir vm
noise 1000000 1 >vm/disk.raw
make_repo --block-size 256K
backup vm
poke vm/disk.raw 0 10 2
backup vm
mapfile -t blocks < <(objects ls plain/blocks/)
mapfile -t pages < <(objects ls plain/pages/)
manifest=$(objects ls plain/points/ | tail -n 1)
ovj point export "$point" --repo r
page=$(jq -r '.. | objects | select(has("pages")) | .pages[0] // empty' "$out" | head -n 1)
page=plain/pages/${page:0:2}/$page
[[ " ${pages[*]} " == *" $page "* ]] || fail "the manifest's page $page is not there"
objects get "$page" | zstd -dqc >page.json
id=$(jq -r '.blocks[1]' page.json)
block=plain/blocks/${id:0:2}/$id
[[ " ${blocks[*]} " == *" $block "* ]] || fail "the page's block $block is not there"
other=
for b in "${blocks[@]}"; do
    [ "$b" = "$block" ] || other=$b
done
other_page=
for b in "${pages[@]}"; do
    [ "$b" = "$page" ] || other_page=$b
done

# broken WHAT NAME: verify names it, restore refuses.
broken() {
    try point verify "$point" --repo r
    equal "$rc" 7 "exit code of verify with $1"
    grep -q "$2" "$err" || fail "$1: verify does not name $2: $(cat "$err")"
    try --json point verify "$point" --repo r
    equal "$rc" 7 "exit code of verify --json with $1"
    one_document
    equal "$(field .ok) $(field .error.exit)" "false 7" "ok and error.exit"
    grep -q "$2" "$out" || fail "$1: verify --json does not name $2"
    refuses 7 restore disk "$point" disk.raw --repo r --to back.raw
    says "$2"
    [ ! -e back.raw ] || fail "$1: restored all the same"
    refuses 7 restore vm "$point" --repo r --to back
    [ ! -e back/disk.raw ] || fail "$1: restored all the same"
    ! compgen -G 'back*' >/dev/null || [ -z "$(find back* -type f)" ] ||
        fail "$1: something is left: $(find back*)"
    rm -rf back*
}
flip() { # flip OFFSET: of stdin, one bit
    python3 -c 'import sys
b = bytearray(sys.stdin.buffer.read()); b[int(sys.argv[1])] ^= 16
sys.stdout.buffer.write(b)' "$1"
}

short() { # the name by which messages know an object
    basename "$1" | cut -c1-8
}
for key in "$block" "$page"; do
    objects get "$key" >good
    for at in 0 5 20 -1; do
        flip $at <good | objects put "$key"
        broken "one bit of $key at $at" "$(short "$key")"
    done
    head -c 30 good | objects put "$key"
    broken "$key cut short" "$(short "$key")"
    objects put "$key" </dev/null
    broken "$key empty" "$(short "$key")"
    { cat good && echo more; } | objects put "$key"
    broken "$key with bytes after its end" "$(short "$key")"
    objects rm "$key"
    broken "$key missing" "$(short "$key")"
    objects put "$key" <good
done
objects get "$block" >good
objects get "$other" | objects put "$block"
broken "a sound block under another's name" "$(short "$block")"
objects put "$block" <good
objects get "$page" >good
objects get "$other_page" | objects put "$page"
broken "a sound page under another's name" "$(short "$page")"
objects put "$page" <good

say "the whole again"
ov point verify "$point" --repo r
restored "$point" back vm
rm -r back

say "the manifest"
objects get "$manifest" >good
name=$(basename "$manifest" .json)
flip 40 <good | objects put "$manifest"
broken "one bit of the manifest" "${name##*-}"
ovj point list --repo r
equal "$(field '[.points[].state] | sort | join(" ")')" "damaged ok" "states listed"
sed 's/"crash"/"app"/' good | objects put "$manifest"
broken "a manifest with another content" "${name##*-}"
first=$(objects ls plain/points/ | head -n 1)
objects get "$first" | objects put "$manifest"
broken "another point's manifest" "${name##*-}"
say "latest is the newest point that verifies"
ovj point show vm@latest --repo r
[ "$(field .point.point)" != "$point" ] || fail "latest is the damaged point"
say "a run goes on from the older one"
backup_warned vm
restored "$point" back vm
