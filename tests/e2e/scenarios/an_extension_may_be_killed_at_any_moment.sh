# shellcheck shell=bash
# Runs on a locked repository that have little to do but to extend locks are
# killed at random moments (E2E_KILLS, default 100): every point stays whole, and
# locked for as long as it says; the next run finishes the work.
# tags: s3 kill
kills=${E2E_KILLS:-100}
RANDOM=${E2E_SEED:-$$}
say "seed ${E2E_SEED:-$$}"
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-short/$(basename "$URL")-$$
mkdir vm
noise 12000000 1 >vm/disk.raw
# Each run extends everything anew, for nothing is covered for long.
make_repo --block-size 256K --create-bucket --immutable 40s --generation 1s
backup vm

# locked_as_it_says: of each object that the newest point needs some version is
# locked until its date, and the server refuses to delete one of them.
locked_as_it_says() {
    local until
    ov point export "$point" --repo r
    until=$(date -d "$(field .locked_until)" +%s)
    at_least "$until" "$(($(date +%s) + 20))" "the date of the newest point"
    objects live "$(objects ls plain/points/ | tail -n 1)" >needed
    objects locks >dates
    awk -v u="$until" '$3 >= u { print $1 }' dates | sort -u >held
    comm -23 needed held >short
    [ ! -s short ] || fail "not locked: $(cat short)"
    read -r key version _ < <(awk -v u="$until" '$3 >= u' dates | shuf -n 1)
    ! objects rm-version "$key" "$version" 2>/dev/null ||
        fail "$key was deleted while it is locked"
}

took=$(date +%s%N)
backup vm
took=$((($(date +%s%N) - took) / 1000000))
say "a run takes $took ms"
left=$kills
round=0
while [ "$left" -gt 0 ]; do
    round=$((round + 1))
    poke vm/disk.raw $((round % 40 * 262144)) 1000 $((100 + round))
    for _ in 1 2 3 4 5 6 7 8; do
        [ "$left" -gt 0 ] || break
        if killed_within "$took" --json backup run vm --repo r; then
            left=$((left - 1))
        else
            equal "$rc" 0 "exit code of a run that was not killed"
        fi
    done
    backup vm
    verify_all
    # Older ones, as far as nothing locks them any more.
    ovj point list --repo r
    for p in $(field '.points[:-1][].point'); do
        try point delete "$p" --repo r --yes
        [ "$rc" -eq 0 ] || equal "$rc" 6 "exit code of a deletion"
    done
    ov repo gc r --yes
    locked_as_it_says
done
restored "$point" back vm

say "in the end nothing is left but what the newest point needs"
newest=$point
ovj point list --repo r
mapfile -t old < <(field '.points[].point' | grep -vxF "$newest")
sleep 43
# Whose they are is known to be dead, or it would be an hour and a half.
for key in $(objects ls gc/leases/); do objects rm "$key"; done
for p in "${old[@]}"; do ov point delete "$p" --repo r --yes; done
ovj repo gc r --yes
equal "$(field .locked.objects)" 0 "what is locked at the end"
holds_live_set
ov point verify "$newest" --repo r
