# shellcheck shell=bash
# repo gc is killed at random moments (E2E_KILLS, default 100) and run again: what
# it began is finished, and nothing that a point needs is lost. In a directory; in
# buckets without versions, with versions, and with locks.
# tags: kill
kills=${E2E_KILLS:-100}
RANDOM=${E2E_SEED:-$$}
say "seed ${E2E_SEED:-$$}"
mkdir vm

# Nothing of a killed process is under way here: its mark need not run out, and
# the file on which it tried locks need not get old.
forget_marks() {
    local key
    if ! on_s3; then
        rm -f "${URL#file://}"/gc/lockprobe-*
        return 0
    fi
    for key in $(objects ls gc/sweeps/); do objects rm "$key"; done
}

# rubbish SEED: what no point needs, as killed runs leave it, and nothing locks.
rubbish() {
    local i id keys=()
    for i in 1 2 3 4 5 6 7 8; do
        id=$(printf '%s %s' "$1" $i | sha256sum | head -c 64)
        keys+=("plain/blocks/${id:0:2}/$id" "plain/pages/${id:0:2}/$id")
    done
    echo "$1" | objects put "${keys[@]}"
}

# kill_collections KILLS [locked]: the newest point stays, others go where no
# lock holds them.
kill_collections() {
    local left=$1 round=0 p done_within=150
    while [ "$left" -gt 0 ]; do
        round=$((round + 1))
        noise 1500000 $((round % 2 + 1)) >vm/disk.raw # content comes again
        backup vm --full --upload all
        [ "${2:-}" = locked ] || for p in $(older); do
            ov point delete "$p" --repo r --yes
        done
        rubbish $round
        while [ "$left" -gt 0 ]; do
            if ! killed_within $done_within --json repo gc r --yes; then
                equal "$rc" 0 "exit code of a collection that was not killed"
                break
            fi
            left=$((left - 1))
            forget_marks
        done
        ov point verify "$point" --repo r
        [ $((round % 5)) -ne 0 ] || verify_all
    done
}

older() { # points but for the newest
    "$OBJVAULT" --json point list --repo r | jq -r '.points[:-1][].point'
}

finish() {
    ovj repo gc r --yes
    equal "$(field .locked.objects)" 0 "what is locked at the end"
    holds_live_set
    verify_all
    ov repo check r --level full
    restored "$point" back vm
    rm -r back
    ovj repo gc r --yes
    equal "$(field '.garbage.objects + .surplus.objects + .tidied')" 0 \
        "what there is to do after the last one"
}

if ! on_s3; then
    make_repo --block-size 256K
    kill_collections "$kills"
    finish
    return
fi

bucket=${URL#s3://}
base=${bucket%%/*}
name=$(basename "$URL")-$$
share=$(((kills + 2) / 3))

say "a bucket without versions"
make_repo --block-size 256K
kill_collections $share
finish
ov repo remove r

say "a bucket that keeps versions"
URL=s3://$base-kept/$name
objects make
objects versioning
make_repo --block-size 256K
kill_collections $share
finish
ov repo remove r

say "a locked repository"
URL=s3://$base-short/$name
make_repo --block-size 256K --create-bucket --immutable 12s --generation 3s
kill_collections $share locked
mapfile -t old < <(older)
sleep 17 # the longest lock of now
for p in "${old[@]}"; do
    ov point delete "$p" --repo r --yes
done
finish
