# shellcheck shell=bash
# A disk that grew, then shrank, between runs; every point stays what it was.
# tags: quick
mkdir vm states
make_repo --block-size 256K
state() { # state NAME: run, and keep what the disk was
    backup vm
    mkdir "states/$1"
    cp --sparse=always vm/disk.raw "states/$1/"
    echo "$point" >"states/$1.point"
}
noise 1000000 1 >vm/disk.raw
state first
truncate -s 3000000 vm/disk.raw
poke vm/disk.raw 2900000 1000 2
state grown
truncate -s 700001 vm/disk.raw
state shrunk
truncate -s 0 vm/disk.raw
state empty
noise 500 3 >vm/disk.raw
state regrown
for s in first grown shrunk empty regrown; do
    restored "$(cat states/$s.point)" "back-$s" "states/$s"
done
