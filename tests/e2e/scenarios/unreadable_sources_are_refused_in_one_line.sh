# shellcheck shell=bash
# Sources that cannot be read: each has its line and its exit code, and no
# point appears.
# tags: quick
make_repo --block-size 256K
refused() { # refused EXIT PATH WORD
    refuses "$1" backup run "$2" --repo r
    says "$3"
}
refused 4 nowhere.raw nowhere.raw
mkdir empty
refused 2 empty empty
echo readme >empty/readme.txt
refused 2 empty empty

mkdir links
noise 1000 1 >links/a.raw
ln -s /etc/hostname links/link
refused 2 links link
rm links/link
mkfifo links/pipe
refused 2 links pipe

if command -v qemu-img >/dev/null; then
    say "qcow2 images: damaged, with a missing backing file, in use"
    { printf 'QFI\373' && noise 5000 2; } >bad.qcow2
    try backup run bad.qcow2 --repo r
    [ "$rc" -eq 7 ] || [ "$rc" -eq 1 ] || fail "exit $rc for a damaged qcow2"
    grep -q bad.qcow2 "$err" || fail "the image is not named"
    qemu-img create -q -f raw gone.raw 1M
    qemu-img create -q -f qcow2 -b gone.raw -F raw orphan.qcow2
    rm gone.raw
    try backup run orphan.qcow2 --repo r
    [ "$rc" -ne 0 ] || fail "an image without its backing file was read"
    grep -q gone.raw "$err" || fail "the backing file is not named"

    for format in raw qcow2; do
        qemu-img create -q -f $format "used-$format.$format" 10M
        qemu-nbd -f $format -k "$PWD/sock" -t "used-$format.$format" &
        server=$!
        for ((i = 0; i < 100; i++)); do
            [ ! -S sock ] || break
            sleep 0.05
        done
        refuses 1 backup run "used-$format.$format" --repo r
        says "used-$format.$format"
        kill $server
        wait $server || true
        rm -f sock
        backup "used-$format.$format"
    done
fi
ovj point list --repo r
equal "$(field '[.points[] | select(.vm | startswith("used") | not)] | length')" \
    0 "points of refused sources"
