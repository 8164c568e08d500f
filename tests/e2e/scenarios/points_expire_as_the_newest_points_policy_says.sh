# shellcheck shell=bash
# A month of daily points, the flags that they get, what of it is over at its
# end, and what an edited policy makes of them.  A list removes nothing.
# tags: quick
# not-tsan: it takes minutes there, and its threads are those of shorter ones
mkdir vm
noise 70000 1 >vm/disk.raw
make_repo --block-size 256K

day() { # day DATE [OPTION...]: a run at noon of that day
    export OBJVAULT_NOW=$1T12:00:00Z
    shift
    backup vm "$@"
}

list_at() {
    export OBJVAULT_NOW=$1
    ovj point list --repo r
}

# of DATE FILTER: what a member of the point of that day is.
of() {
    field ".points[] | select(.time | startswith(\"$1\")) | $2"
}

days() { # days FILTER: the days of the points that fit
    field "[.points[] | select($1) | .time[5:10]] | join(\" \")"
}

policy=(--retention 7d --gfs 'weekly=2,monthly=1' --timezone UTC)
for d in $(seq -w 1 31); do
    day "2026-01-$d" "${policy[@]}"
done

say "Sundays are 4, 11, 18, 25; the first point of all has the first flags"
list_at 2026-01-31T13:00:00Z
equal "$(days '.gfs | index("weekly")')" "01-01 01-04 01-11 01-18 01-25" W
equal "$(days '.gfs | index("monthly")')" "01-01" M

say "of the days 25 to 31 are left, of the weeks 18, of the months 1 January"
equal "$(days '.state == "ok"')" \
    "01-01 01-18 01-25 01-26 01-27 01-28 01-29 01-30 01-31" "points that stay"
equal "$(days '.state == "expired"' | wc -w)" 22 "expired points"
equal "$(of 2026-01-01 '"\(.kept) \(.visible_until)"')" \
    "monthly 2026-02-02T00:00:00Z" "1 January"
equal "$(of 2026-01-18 '"\(.kept) \(.visible_until)"')" \
    "weekly 2026-02-01T00:00:00Z" "18 January"
equal "$(of 2026-01-24 '"\(.kept) \(.visible_until)"')" \
    "null 2026-01-31T00:00:00Z" "24 January"
equal "$(of 2026-01-31 '"\(.kept) \(.visible_until)"')" \
    "days 2026-02-07T00:00:00Z" "31 January"
of_18=$(of 2026-01-18 .point) # a slow run has a later second
ov point list --repo r
grep -q 'VISIBLE UNTIL' "$out" || fail "the table does not say until when"
grep -q 'expired  *-  *2026-01-31' "$out" || fail "24 January is not shown"
ov point show "$of_18" --repo r
grep -q 'weekly' "$out" || fail "point show does not say why"
ovj point show "$of_18" --repo r
equal "$(field '.point | "\(.kept) \(.visible_until)"')" \
    "weekly 2026-02-01T00:00:00Z" "18 January, shown alone"

say "two days and no flags: but for the newest three all is over"
day 2026-02-01 --retention 2d --timezone UTC
list_at 2026-02-01T13:00:00Z
equal "$(days '.state == "ok"')" "01-30 01-31 02-01" "points that stay"
equal "$(of 2026-01-30 '"\(.kept) \(.visible_until)"')" "newest null" \
    "30 January"

say "without a policy all of them stay"
day 2026-02-02
list_at 2027-01-01T00:00:00Z
equal "$(field '[.points[] | "\(.state) \(.kept) \(.visible_until)"] | unique |
    join(",")')" "ok no-policy null" "points"
equal "$(field '.points | length')" 33 "points in the list"
equal "$(objects ls plain/points/ | wc -l)" 33 "manifests"

say "the zone is this machine's where none is given"
day 2026-02-03 --retention 1w
ov point export "$point" --repo r
equal "$(field '.retention.days')" 7 "days of a week"
[ -n "$(field '.retention.timezone')" ] || fail "no time zone in the manifest"

say "a collection removes what is over, and another machine misses nothing"
(
    other_machine
    attach_repo r
    OBJVAULT_NOW=2026-02-04T00:00:00Z ovj repo gc r --dry-run
    equal "$(field '"\(.expired_points) \(.removed_points)"')" "28 0" "a dry run"
    OBJVAULT_NOW=2026-02-04T00:00:00Z ovj repo gc r --yes
    equal "$(field '"\(.expired_points) \(.removed_points)"')" "28 28" removed
    equal "$(objects ls plain/points/ | wc -l)" 6 "manifests"
    [ "$(field '[.messages[] | select(.kind == "expired")] | length')" -eq 28 ] ||
        fail "not all are named"
)
OBJVAULT_NOW=2026-02-04T00:00:00Z ovj repo check r
equal "$(field '"\(.missing_points) \(.points)"')" "0 6" "what check finds"
list_at 2026-02-04T00:00:00Z
equal "$(days true)" "01-29 01-30 01-31 02-01 02-02 02-03" "points"
# 2 February has no policy of its own and stays.

say "what is no policy is refused"
refuses 2 backup run vm --repo r --retention 24h
says 14d
refuses 2 backup run vm --repo r --retention 0d
refuses 2 backup run vm --repo r --retention 14
refuses 2 backup run vm --repo r --gfs weekly=4
says --retention
refuses 2 backup run vm --repo r --timezone UTC
refuses 2 backup run vm --repo r --retention 14d --gfs weekly=4@jan
says sun
refuses 2 backup run vm --repo r --retention 14d --timezone Europe/Atlantis
says Europe/Atlantis
refuses 2 backup run vm --repo r --retention 14d --timezone ../../etc/passwd
