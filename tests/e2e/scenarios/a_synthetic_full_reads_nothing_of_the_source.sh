# shellcheck shell=bash
# In a directory a synthetic full begins a chain with what the newest point
# holds; in a bucket it is refused, with the reason.
# tags: quick
mkdir vm
noise 900000 1 >vm/disk.raw
echo 'memory=1G' >vm/vm.conf
make_repo --block-size 256K
if on_s3; then
    backup vm
    refuses 2 backup run vm --repo r --synthetic-full
    says 'every point stands on its own'
    says '--full'
    equal "$(objects ls plain/points/ | wc -l)" 1 "points"
    exit 0
fi
refuses 4 backup run vm --repo r --synthetic-full
refuses 2 backup run vm --repo r --synthetic-full --full
refuses 2 backup run vm --repo r --synthetic-full --upload all

export OBJVAULT_NOW=2026-01-01T12:00:00Z
backup vm
poke vm/disk.raw 5000 10 2
export OBJVAULT_NOW=2026-01-02T12:00:00Z
backup vm
two=$point
cp -r vm before
poke vm/disk.raw 600000 100 3 # what the source holds now
blocks=$(objects ls plain/blocks/ | wc -l)

export OBJVAULT_NOW=2026-01-05T12:00:00Z
ovj backup run vm --repo r --synthetic-full --dry-run
equal "$(objects ls plain/points/ | wc -l)" 2 "points after a dry run"
backup vm --synthetic-full --retention 14d --gfs weekly=4 --timezone UTC
full=$point
next=$(date -u -d "${two#vm@} + 1 sec" +%FT%TZ) # a slow run has a later second
equal "$full" "vm@$next" "its name: the second after the newest"
equal "$(field '.vms[0] | "\(.kind) \(.read_bytes) \(.new_blocks)"')" \
    "full 0 0" "kind, bytes read, blocks stored"
equal "$(objects ls plain/blocks/ | wc -l)" "$blocks" "blocks"
ov point export "$full" --repo r
equal "$(field '"\(.kind) \(.parent) \(.chain == .time) \(.gfs | join(" "))"')" \
    "full null true weekly" "the manifest"
mkdir back
restored "$full" back/a before
restored "$two" back/b before

say "the next run is an increment of it, and misses nothing"
export OBJVAULT_NOW=2026-01-06T12:00:00Z
backup vm
equal "$(field '.vms[0].kind')" incremental "kind of the next run"
# The time begins anew in each program: later than a slow run ended.
export OBJVAULT_NOW=2026-01-06T13:00:00Z
ovj point show vm@latest --repo r
equal "$(field .point.parent)" "$full" "its parent"
restored vm@latest back/c vm
