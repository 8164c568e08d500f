#!/usr/bin/env bash
# Installs what is needed, builds objvault, and shows it at work: a machine of
# two disks is backed up, changed, backed up again, and restored.
#
#   ./quickstart.sh
#
# Everything happens in a temporary folder; only ./build stays.
set -euo pipefail
cd "$(dirname "$0")"

step() {
    printf '\n== %s\n' "$*"
}

fail() {
    echo "quickstart: FAILED: $*" >&2
    exit 1
}

step "1. packages (as packages.txt lists them)"
scripts/install-packages.sh build

step "2. build (Release, in ./build)"
log=build/quickstart.log
mkdir -p build
if ! { cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DOBJVAULT_TESTS=OFF && cmake --build build; } >$log 2>&1; then
    tail -n 30 $log >&2
    fail "the build failed; all of it: $log"
fi
program=$(find build -maxdepth 2 -name objvault -type f -perm -u+x | head -n 1)
[ -n "$program" ] || fail "the build made no program; see $log"
program=$PWD/$program
"$program" --version

demo=$(mktemp -d "${TMPDIR:-/tmp}/objvault-demo.XXXXXX")
trap 'rm -rf "$demo"' EXIT
cd "$demo"
# A home of its own: your configuration is not touched.
export OBJVAULT_HOME=$demo/home OBJVAULT_STATE=$demo/state

# objvault ARG...: shows the command, then runs it.
objvault() {
    printf '\n$ objvault %s\n' "$*"
    "$program" "$@" || fail "objvault $1 $2: exit $?"
}

step "3. a machine: two disks and a configuration file"
mkdir web01
truncate -s 256M web01/system.raw
head -c 24M /dev/urandom | dd of=web01/system.raw bs=1M seek=8 conv=notrunc \
    iflag=fullblock status=none
data=web01/data.raw
truncate -s 96M $data
head -c 12M /dev/urandom | dd of=$data bs=1M seek=40 conv=notrunc \
    iflag=fullblock status=none
if command -v qemu-img >/dev/null; then
    qemu-img convert -f raw -O qcow2 $data web01/data.qcow2
    rm $data
    data=web01/data.qcow2
fi
echo '<domain><name>web01</name></domain>' >web01/web01.xml
ls -lsh web01

# What the guest sees of each disk, to compare with later.
guest() { # guest FOLDER
    mkdir "$1"
    cp --sparse=always web01/system.raw web01/web01.xml "$1/"
    if [ $data = web01/data.qcow2 ]; then
        qemu-img convert -f qcow2 -O raw $data "$1/data.qcow2.raw"
    else
        cp --sparse=always $data "$1/"
    fi
}
guest monday

step "4. a repository, and the first run: full"
objvault repo create demo "file://$demo/repository"
objvault backup run web01 --repo demo

step "5. the machine works on: three changes; the second run: incremental"
head -c 5000 /dev/urandom | dd of=web01/system.raw bs=1M seek=20 conv=notrunc \
    iflag=fullblock status=none
head -c 5000 /dev/urandom | dd of=web01/system.raw bs=1M seek=200 conv=notrunc \
    iflag=fullblock status=none
echo '<!-- more memory -->' >>web01/web01.xml
guest tuesday
objvault backup run web01 --repo demo

step "6. what there is"
objvault point list
first=$("$program" point list --json | grep -oE '"point": ?"[^"]*"' |
    cut -d'"' -f4 | LC_ALL=C sort | head -n 1)
[ -n "$first" ] || fail "no point is listed"

step "7. both points, verified and restored"
objvault point verify web01@latest
objvault restore vm web01@latest --to restored-tuesday
objvault restore vm "$first" --to restored-monday

step "8. compared"
compare() { # compare EXPECTED RESTORED
    local f
    for f in "$1"/*; do
        cmp "$f" "$2/$(basename "$f")" || fail "$2/$(basename "$f") differs"
        echo "$2/$(basename "$f"): equal"
    done
    [ "$(find "$1" -type f | wc -l)" -eq "$(find "$2" -type f | wc -l)" ] ||
        fail "$2 has other files than $1"
}
compare tuesday restored-tuesday
compare monday restored-monday

cat <<END

All of it came back, bit for bit.  The five commands that matter:

  objvault repo create NAME URL              a bucket or a folder to keep points in
  objvault backup run PATH --repo NAME       a disk image, or a folder with a VM's disks
  objvault point list                        what can be restored
  objvault point verify VM@latest            read it all, and check it
  objvault restore vm VM@latest --to DIR     bring it back

What next:
  the program is $program
  the same on an S3 bucket:  see "On MinIO" in README.md
  every option:              objvault --help, objvault backup run --help
  the tests:                 ./test.sh --quick, or ./test.sh for all of them
END
