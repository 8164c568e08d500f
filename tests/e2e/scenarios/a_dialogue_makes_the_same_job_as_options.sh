# shellcheck shell=bash
# `job create` on a terminal asks step by step, and ends with the job that options
# make, byte for byte. Nothing is saved by a dialogue that is left.
# tags: quick file
# not-tsan: its commands have one thread
mkdir -p vms/prod/web1 vms/prod/web2 vms/test/db1
for d in prod/web1/vda prod/web1/vdb prod/web2/vda test/db1/vda; do
    truncate -s 1M "vms/$d.raw"
done
ov source add lab dir:vms
make_repo
jobs=$OBJVAULT_HOME/jobs
mkdir -p "$OBJVAULT_HOME/credentials"
echo '{"url":"s3://bucket","endpoint":"http://127.0.0.1:1"}' >"$OBJVAULT_HOME/repos/cloud.json"
echo '{"user":"backup","password":{"file":"/nowhere"}}' >"$OBJVAULT_HOME/credentials/dba.json"
echo secret >password
chmod 600 password "$OBJVAULT_HOME/credentials/dba.json"

asked() { # asked EXIT ANSWER...: to the questions of job create
    local want=$1 rc=0
    shift
    python3 "$E2E/terminal.py" --shown shown "$@" -- "$OBJVAULT" job create || rc=$?
    [ "$rc" -eq "$want" ] || fail "exit $rc, not $want: $(cat shown)"
}

shows() {
    grep -qF -- "$1" shown || fail "\"$1\" is not shown: $(cat shown)"
}

say "every step; explained, wrong answers, and back"
name=(everything 'All of it')
vms=(nothing-like-it WEB '1,9' 2 db '?' all '*' 1 '')
exclusions=(lab:web2 'other:*' '' nodisk web1:vdb.raw '' db1=first '')
storage=(cloudy r 0 14 monthly=x 'weekly=4,monthly=12')
advanced=(reverse '' sat 'monthly fifth sun' 'monthly last sun' best high 3M 1M)
encryption=(kms:main password /nowhere/x /no no password finance)
guests=(maybe require nobody dba backup process
    'lab:db1=try,logs=copy-only' lab:db1=try '')
schedule=(maybe yes 'daily 25:00' 'daily 22:00 weekdays' Europe/Berln
    Europe/Berlin 1000 '2 after 5m')
asked 0 'no/name' '<' "${name[@]}" "${vms[@]}" "${exclusions[@]}" '<' \
    '' '' '' "${storage[@]}" "${advanced[@]}" "${encryption[@]}" "${guests[@]}" \
    "${schedule[@]}" '?' no
for said in 'Step 1 of 9: Name' 'Step 2 of 9: Virtual Machines' \
    'Step 3 of 9: Exclusions' 'Step 4 of 9: Storage' 'Step 5 of 9: Advanced' \
    'Step 6 of 9: Encryption' 'Step 7 of 9: Guest Processing' \
    'Step 8 of 9: Schedule' 'Step 9 of 9: Summary' 'This is the first step' \
    'It will run at' 'Run the job when I finish?'; do
    shows "$said"
done
ov job create everything2 --description 'All of it' --vm lab:web2 --vm lab:db1 \
    --container lab: --exclude-vm lab:web2 \
    --exclude-disk web1:vdb.raw --disks db1=first --repo r --retention 14d \
    --gfs weekly=4,monthly=12 --synthetic-full sat --active-full 'monthly last sun' \
    --compression high --block-size 1M --encrypt password --password-file password \
    --keyset finance --guest require --guest-credentials dba --guest-logs process \
    --guest-vm lab:db1=try,logs=copy-only --schedule 'daily 22:00 weekdays' \
    --timezone Europe/Berlin --retries '2 after 5m'
same "$jobs/everything.json" "$jobs/everything2.json"
! grep -q secret shown "$jobs/everything.json" || fail "the password is shown"
ov job show everything2
tail -n +2 "$out" >summary # all but the name
tr -d '\r' <shown | grep -qxFf summary || fail "the summary is not that of job show"

say "Return at everything that has brackets; no schedule, an object repository"
asked 0 plain '' prod 1 '' '' '' '' cloud none '' '' '' '' '' '' '' no no
shows 'Synthetic fulls are not offered: synthetic_full: repository cloud is on object storage'
shows 'It will run by hand only'
ov job create plain2 --container lab:prod --repo cloud --encrypt none
same "$jobs/plain.json" "$jobs/plain2.json"

say "and run at once"
# (and what belongs to an answer goes with it: guests that are asked no more have no
# user, points that stay no GFS)
asked 0 now '' db1 1 '' '' '' '' r '' weekly=4 '' '' '' '' '' '' require dba '' '' '<' \
    '<' '<' '<' r none '' '' '' '' '' '' disable '' no yes
ovj point list --repo r
equal "$(field '[.points[].vm] | join(" ")')" db1 "points"
equal "$(jq -c . "$jobs/now.json")" '{"vms":["lab:db1"],"repo":"r","encrypt":"none"}' "the file"

say "a password that is typed goes to a file of its own, at the end"
sealed=(prod 1 '' '' '' '' r '' '' '' '' '' '' '' password typed yes horse)
asked 130 sealed '' "${sealed[@]}" horse ^C
[ ! -e typed ] || fail "the file is made by a dialogue that was left"
asked 0 sealed '' "${sealed[@]}" mule typed yes horse horse '' '' '' no yes
shows 'The two passwords differ'
! grep -q 'horse\|mule' shown || fail "the password is shown"
equal "$(cat typed) $(stat -c %a typed)" "horse 600" "the file and its mode"
equal "$(jq -r .password.file "$jobs/sealed.json")" "$PWD/typed" "where it is"
ov point list --repo r --password-file typed

say "what is left saves nothing"
asked 130 left '' web ^C
asked 2 left '' web ^D
shows 'the input ended'
asked 130 ^C
[ ! -e "$jobs/left.json" ] || fail "it is saved"
refuses 2 job create
says 'nobody can be asked here'
equal "$(find "$jobs" -type f | wc -l)" 6 "jobs"
