# shellcheck shell=bash
# A VM that its source does not have any more keeps its points for as long as
# the job says (deleted_vms_after), and loses them then, but protected ones.
# Nothing goes while a source cannot be looked at wholly, or is empty.  What the
# job has sealed is opened by its own password.
# tags: file

run_at() { # run_at NOW [CODE]: a run of the job
    OBJVAULT_NOW=$1 try --json job run nightly --scheduled
    equal "$rc" "${2:-0}" "exit code of the run"
}

forget_at() { # forget_at NOW ARG...
    OBJVAULT_NOW=$1 try --json job forget-deleted nightly "${@:2}"
    one_document
}

has() { # has VM N WHAT: so many points
    ovj point list --repo r --vm "$1"
    equal "$(field '.points | length')" "$2" "$3"
}

mkdir -p vms/web1 vms/web2
noise 300000 1 >vms/web1/disk.raw
noise 300000 2 >vms/web2/disk.raw
make_repo
ov source add here "dir:$PWD/vms"
mkdir -p "$OBJVAULT_HOME/jobs"
echo '{"repo": "r", "containers": ["here:"], "deleted_vms_after": "30d"}' \
    >"$OBJVAULT_HOME/jobs/nightly.json"
run_at 2026-01-01T22:00:00Z
run_at 2026-01-02T22:00:00Z

say "one that vanished from a container is told once"
mv vms/web2 gone
run_at 2026-02-19T22:00:00Z 3
grep -q "VM here:web2, which the last run had, is not there any more" "$out" ||
    fail "nothing is said of it"
run_at 2026-02-20T22:00:00Z
ovj point list --repo r --vm web2
ov point protect "$(field '.points[0].point')" --repo r

say "not before its time, and not without being told"
forget_at 2026-02-01T20:00:00Z --yes
equal "$rc" 0 "exit code"
equal "$(field .removed_points)" 0 "points removed too early"
forget_at 2026-02-21T20:00:00Z
equal "$rc" 2 "exit code where nobody can be asked"
forget_at 2026-02-21T20:00:00Z --dry-run
equal "$(field '"\(.dry_run) \(.vms) \(.removed_points)"')" "true 1 0" "rehearsal"
equal "$(field '[.points[].fate] | sort | join(" ")')" "protected removed" fates
has web2 2 "points after a rehearsal"

say "not by a machine whose runs never had it"
OBJVAULT_STATE=$PWD/.other forget_at 2026-02-21T20:00:00Z --yes
equal "$rc $(field .removed_points)" "0 0" "exit code, points removed elsewhere"

say "not while the source is not wholly there"
mv vms away
mkdir vms
forget_at 2026-02-21T20:00:00Z --yes
equal "$rc" 1 "exit code with an empty source"
equal "$(field .error.message | grep -c 'no VM at all')" 1 "the reason"
rmdir vms
forget_at 2026-02-21T20:00:00Z --yes
equal "$rc" 4 "exit code without a source"
mv away vms
has web2 2 "points kept"

say "nor VMs of a folder that is empty, not there, or not looked at"
mkdir -p vms/prod/db1 other/db2
noise 300000 3 >vms/prod/db1/disk.raw
noise 300000 4 >other/db2/disk.raw
ov source add there "dir:$PWD/other"
at_prod='{"repo": "r", "containers": ["here:prod", "there:"], "deleted_vms_after": "30d"}'
echo "$at_prod" >"$OBJVAULT_HOME/jobs/second.json"
OBJVAULT_NOW=2026-01-02T22:00:00Z ov job run second
forgets_nothing() { # forgets_nothing WHY
    OBJVAULT_NOW=2026-02-21T20:00:00Z ovj job forget-deleted second --dry-run
    equal "$(field .vms)" 0 "VMs that are gone: $1"
}
mv vms/prod prod
mkdir vms/prod
forgets_nothing "an empty folder"
mkdir vms/prod/db1
forgets_nothing "an empty folder of a VM"
rmdir vms/prod/db1
mkdir vms/prod/db0
noise 300000 5 >vms/prod/db0/disk.raw
ln -s ../../prod/db1 vms/prod/db1
forgets_nothing "a link in the place of a VM"
rm -r vms/prod
forgets_nothing "a container of the job that is not there"
echo "${at_prod/here:prod/here:folder=prod}" >"$OBJVAULT_HOME/jobs/second.json"
forgets_nothing "the same, whose kind is said"
echo "$at_prod" >"$OBJVAULT_HOME/jobs/second.json"
mv prod vms/prod
echo "${at_prod/, \"there:\"/}" >"$OBJVAULT_HOME/jobs/second.json"
forgets_nothing "a source that the job does not name any more"
rm -r "$OBJVAULT_HOME/jobs/second.json" vms/prod

say "then it goes, but what is protected; a VM that is there stays"
OBJVAULT_NOW=2026-02-21T20:00:00Z ov daemon --until-idle
has web2 2 "points before the daemon's hour"
OBJVAULT_NOW=2026-02-22T20:00:00Z ov daemon --until-idle
has web2 1 "points left of what is gone"
has web1 4 "points of what is there"
OBJVAULT_NOW=2026-02-22T20:01:00Z ov daemon --until-idle
warns 'info  daemon: begins'
! grep -q 'collection of repository' "$err" || fail "it collected twice"

say "what the job has sealed, too, by its own password"
printf 'open sesame' >right
ov repo create s "file://$PWD/s"
jq -n --arg file "$PWD/right" '{ repo: "s", containers: ["here:"],
    encrypt: "password", password: { file: $file },
    deleted_vms_after: "30d" }' >"$OBJVAULT_HOME/jobs/nightly.json"
mv gone vms/web2
run_at 2026-03-01T22:00:00Z
mv vms/web2 gone
mv right elsewhere
forget_at 2026-05-01T20:00:00Z --yes
equal "$rc" 4 "exit code without the password"
mv elsewhere right
forget_at 2026-05-01T20:00:00Z --yes
equal "$rc" 0 "exit code"
equal "$(field .removed_points)" 1 "points removed of what was sealed"
jq 'del(.password)' "$OBJVAULT_HOME/jobs/nightly.json" >less
mv less "$OBJVAULT_HOME/jobs/nightly.json"
forget_at 2026-05-01T20:00:00Z --yes
equal "$rc" 3 "exit code where a keyset stays closed"
warns 'are not looked at'
