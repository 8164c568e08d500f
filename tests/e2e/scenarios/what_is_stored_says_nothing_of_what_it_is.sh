# shellcheck shell=bash
# After runs, one that was killed, protection, checks that find damage, deletion,
# collection and a recovery, every version of every object is searched for what
# was backed up, its names and sizes, passwords and keys: nothing.
# tags: slow
python3 -c 'import cryptography' 2>/dev/null || skip "no cryptography for Python"
if on_s3; then # a bucket that keeps all that ever was
    bucket=${URL#s3://}
    URL=s3://${bucket%%/*}-kept/$(basename "$URL")-$$
    objects make
    objects versioning
fi
echo 'correct horse battery' >pw
with=(--repo r --password-file pw)
encrypt=(--encrypt password --password-file pw)
size=1234433
mkdir secretvm
for ((i = 0; i < 9000; i++)); do
    echo "the secret of disk line $i"
done >secretvm/vda-root.raw
noise 1000000 1 >>secretvm/vda-root.raw
truncate -s $size secretvm/vda-root.raw
echo "nvram = of the machine" >secretvm/machine-settings.conf
make_repo --block-size 256K

backup secretvm "${encrypt[@]}" --recovery-password-file rescue \
    --retention 17d --gfs weekly=4 --timezone Europe/Busingen
one=$point
keyset=$(field '.vms[0].keyset')
block=$(objects ls "$keyset/blocks/" | head -n 1) # a point needs it
poke secretvm/vda-root.raw 300000 100 2
backup secretvm "${encrypt[@]}"
two=$point
ov point protect "$one" "${with[@]}"
cp -r secretvm secretvm-killed
noise 3000000 3 >secretvm-killed/vda-root.raw
"$OBJVAULT" backup run secretvm-killed "${encrypt[@]}" --repo r \
    --limit-upload 300K >"$out" 2>"$err" </dev/null &
pid=$!
had=$(objects ls | grep -c /blocks/)
for ((i = 0; i < 200; i++)); do
    [ "$(objects ls | grep -c /blocks/)" -le "$had" ] || break
    sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null || true
objects get "$block" >good
! on_s3 || version=$(objects locks "$block" | cut -d' ' -f2)
head -c 20 good | objects put "$block"
! on_s3 || objects rm-version "$block" "$version" # which could be read still
try repo check r --level full --password-file pw
equal "$rc" 7 "exit code of a check that finds damage"
at_least "$(objects ls gc/damaged/ | grep -c .)" 1 "marks of damage"
mkdir before
on_s3 || cp -r "${URL#file://}" before # what deletion takes away
if on_s3; then
    objects put "$block" <good
    ov repo recover r --yes --password-file pw
    at_least "$(objects versions gc/leases/ | grep -c .)" 1 "leases"
else
    objects put "$block" <good
fi
ov repo check r --level full --password-file pw
ov point delete "$two" "${with[@]}" --yes
try repo gc r --yes --password-file pw
[ "$rc" -eq 0 ] || on_s3 || fail "exit code of a collection: $rc"
backup secretvm "${encrypt[@]}" --full
at_least "$(objects ls "$keyset/keep/" | grep -c .)" 1 "marks of protection"

python3 "$E2E/sealed.py" "$URL" secrets pw | sed s/^/hex:/ >needles
python3 "$E2E/sealed.py" "$URL" secrets rescue | sed s/^/hex:/ >>needles
at_least "$(sort -u needles | grep -c .)" 10 \
    "keys: the data key, what wraps it under each password, sub-keys"
{
    cat pw rescue
    printf '%s\n' secretvm vda-root vda-root.raw machine-settings \
        "the secret of disk" "line 4711" "nvram = of" Busingen crash-consistent \
        $size "$(printf %x $size)"
    printf 'hex:%016x\n' $size
    printf 'hex:%s\n' "$(printf %016x $size | fold -w2 | tac | tr -d '\n')"
    # what unkeyed names would be
    printf 'hex:%s\n' "$(printf secretvm | sha256sum | cut -c1-32)" \
        "$(head -c 262144 secretvm/vda-root.raw | sha256sum | cut -c1-64)"
    noise 1000000 1 | head -c 600000 | tail -c 32 | od -An -v -tx1 | tr -d ' \n' |
        sed 's/^/hex:/'
    echo
} >>needles
n=$(python3 "$E2E/sealed.py" "$URL" search needles) || fail "$n"
at_least "$n" 12 "objects that were searched"
on_s3 || {
    n=$(python3 "$E2E/sealed.py" "file://$PWD/before" search needles) || fail "$n"
}

say "and the search does find what is there"
printf '%s\n' "$keyset" >needles
! python3 "$E2E/sealed.py" "$URL" search needles >/dev/null 2>&1 ||
    fail "it finds nothing at all"
rm -rf plain
mkdir plain
ov repo create open "file://$PWD/plain" --block-size 256K
ov backup run secretvm --repo open
for needle in secretvm "line 4711" "nvram = of" $size; do
    echo "$needle" >needles
    ! python3 "$E2E/sealed.py" "file://$PWD/plain" search needles >/dev/null 2>&1 ||
        fail "in the clear it does not find $needle"
done
