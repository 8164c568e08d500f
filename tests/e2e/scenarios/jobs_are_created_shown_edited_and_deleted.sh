# shellcheck shell=bash
# `job create|list|show|edit|enable|disable|next|delete`, by options: the file of
# a job, what is told of it, and what becomes of it when it is edited.
# tags: quick file
# not-tsan: its commands have one thread
mkdir -p vms/prod/web1 vms/prod/web2 vms/test/db1
for d in prod/web1/vda prod/web1/vdb prod/web2/vda test/db1/vda; do
    truncate -s 1M "vms/$d.raw"
done
ov source add lab dir:vms
make_repo
mkdir -p "$OBJVAULT_HOME/credentials"
echo '{"user":"backup","password":{"file":"/nowhere"}}' >"$OBJVAULT_HOME/credentials/dba.json"
echo secret >password
chmod 600 password "$OBJVAULT_HOME/credentials/dba.json"
jobs=$OBJVAULT_HOME/jobs

say "every option has its place in the file"
ovj job create all --description 'All of it' --vm lab:web1 --vm lab:db1 \
    --container lab:prod --container lab: --exclude-vm 'test-*' \
    --exclude-vm lab:web2 --exclude-disk web1:vdb.raw --disks db1=first \
    --repo r --retention 14d --gfs weekly=4,monthly=12 --timezone Europe/Berlin \
    --method forward --active-full 'monthly last sun' --compression high \
    --block-size 1M --limit-upload 10M --encrypt password --keyset k \
    --password-file password --guest require --guest-credentials dba \
    --guest-logs process --guest-vm lab:db1=try,credentials=dba,logs=copy-only \
    --schedule 'daily 22:00 weekdays' --retries '2 after 5m' --parallel 4 \
    --before 'echo before' --after 'echo after' --notify-on failed \
    --webhook http://127.0.0.1:1/x --mail-to a@example.org \
    --mail-from b@example.org --mail-command 'cat >mail' \
    --deleted-vms-after 30d --disabled
cat >wanted.json <<END
{"description":"All of it","enabled":false,"vms":["lab:web1","lab:db1"],
"containers":["lab:prod","lab:"],"exclude_vms":["test-*","lab:web2"],
"exclude_disks":["web1:vdb.raw"],"disks":["db1=first"],"repo":"r",
"retention":"14d","gfs":"weekly=4,monthly=12","timezone":"Europe/Berlin",
"method":"forward","active_full":"monthly last sun","compression":"high",
"block_size":"1M","limit_upload":"10M","encrypt":"password","keyset":"k",
"password":{"file":"$PWD/password"},
"guest":{"mode":"require","credentials":"dba","logs":"process"},
"guests":[{"vm":"lab:db1","mode":"try","credentials":"dba","logs":"copy-only"}],
"schedule":"daily 22:00 weekdays","retries":"2 after 5m","parallel":4,
"deleted_vms_after":"30d","before":["/bin/sh","-c","echo before"],
"after":["/bin/sh","-c","echo after"],"notify":{"on":"failed",
"webhook":"http://127.0.0.1:1/x","mail":["/bin/sh","-c","cat >mail"],
"mail_to":"a@example.org","mail_from":"b@example.org"}}
END
jq -S . wanted.json >wanted
jq -S . "$jobs/all.json" | diff wanted - || fail "the file is not what was said"
ovj job show all
equal "$(field .job.enabled)" false "enabled"
field .job.config | jq -S . | diff wanted - || fail "job show has another configuration"
ov job show all
for said in 'all (disabled)' 'lab:web1, lab:db1' 'weekly=4' 'Europe/Berlin' \
    "password in file $PWD/password, keyset k" 'require, as dba, logs process' \
    'lab:db1: try, as dba, logs copy-only' 'echo before' '10.0 MiB a second'; do
    grep -qF -- "$said" "$out" || fail "job show does not say '$said'"
done
! grep -q secret "$jobs/all.json" "$out" || fail "the password is in the job"

say "what is not said is not in the file; one repository is the one"
ov job create nightly --container lab:folder=prod --schedule 'daily 02:30' --timezone Europe/Berlin
equal "$(jq -c . "$jobs/nightly.json")" \
    '{"containers":["lab:folder=prod"],"repo":"r","timezone":"Europe/Berlin","schedule":"daily 02:30"}' \
    "the file"
ov job create hand --vm lab:web1
ov job create follows --vm lab:web2 --schedule 'after nightly'
refuses 2 job create nightly --vm lab:web1
says "configured already"

say "when they run, in their zone and in UTC"
export OBJVAULT_NOW=2026-03-28T00:00:00Z
ovj job next nightly --count 3
equal "$(field '[.jobs[0].moments[] | "\(.local)=\(.time)"] | join(" ")')" \
    "2026-03-28T02:30:00+01:00=2026-03-28T01:30:00Z 2026-03-29T03:00:00+02:00=2026-03-29T01:00:00Z 2026-03-30T02:30:00+02:00=2026-03-30T00:30:00Z" \
    "moments"
ovj job next
equal "$(field '[.jobs[] | "\(.name): \(.why)"] | join(", ")')" \
    "all: not by itself: it is disabled, follows: after job nightly, hand: by hand only, nightly: null" \
    "why there is none"
ov job next nightly --count 1
grep -q '2026-03-28 02:30:00 +01:00  2026-03-28T01:30:00Z' "$out" || fail "no such moment"
ovj job list
equal "$(field '[.jobs[] | "\(.name) \(.enabled) \(.vms)+\(.containers) \(.next)"] | join(", ")')" \
    "all false 2+2 null, follows true 1+0 null, hand true 1+0 null, nightly true 0+1 2026-03-28T01:30:00Z" \
    "the list"
unset OBJVAULT_NOW

say "disabled and enabled"
ovj job disable nightly
equal "$(field .job.enabled) $(jq .enabled "$jobs/nightly.json")" "false false" "enabled"
ov job enable nightly
equal "$(jq .enabled "$jobs/nightly.json")" null "enabled"
refuses 4 job enable nihgtly

say "edited: comments stay, what is wrong is not taken over and not lost"
edit() { # edit EXIT COMMAND...: which gets the file's name behind it
    local want=$1
    shift
    printf '#!/bin/sh\n%s "$1"\n' "$*" >editor
    chmod +x editor
    VISUAL='' EDITOR=$PWD/editor TMPDIR=$PWD try job edit nightly
    equal "$rc" "$want" "exit code of job edit"
}
edit 0 "sed -i '1i // by hand'"
head -n 1 "$jobs/nightly.json" | grep -q '^// by hand' || fail "the comment is lost"
cp "$jobs/nightly.json" before.json
edit 0 true
grep -q 'as it was' "$out" || fail "it does not say that nothing changed"
edit 1 false
edit 2 "sed -i s/02:30/25:30/"
warns 'what you wrote is in'
same before.json "$jobs/nightly.json"
copy=$(sed -n 's/.*what you wrote is in //p' "$err")
grep -q 25:30 "$copy" || fail "the copy is not kept"
equal "$(stat -c %a "$copy" "$(dirname "$copy")" | tr '\n' ' ')" "600 700 " "its mode"
edit 2 "sed -i s/lab:folder/lap:folder/"
warns lab
edit 1 "echo >>'$jobs/nightly.json'; sed -i s/02:30/03:30/"
warns 'changed by somebody else'
refuses 2 job disable nightly # a comment would be lost
says comment
VISUAL="sed -i s/02:30/04:30/" EDITOR=false TMPDIR=$PWD ov job edit nightly
grep -q 04:30 "$jobs/nightly.json" || fail "VISUAL does not win"

say "a file that is wrong is named"
echo '{"vms":["lab:web1"],"repo":"r","shedule":"daily 01:00"}' >"$jobs/hand.json"
try --json job list
equal "$rc" 3 "exit code of the list"
[[ $(field '.jobs[] | select(.name == "hand") | .problem') == *schedule* ]] ||
    fail "the problem is not told"
refuses 2 job show hand
says '"schedule"'
try --json job next
equal "$rc" 3 "exit code of job next"
equal "$(field '[.jobs[].name] | join(" ")')" "all follows nightly" "the others"

say "run at once"
noise 300000 1 >vms/prod/web1/vda.raw
ovj job create now --vm lab:web1 --repo r --encrypt password --password-file password --run
[[ $(field '"\(.status) \(.vms[0].vm) \(.vms[0].keyset)"') == "success web1 k-"* ]] || fail "the run"
ov job delete now --yes
ovj point list --password-file password
equal "$(field '[.points[].vm] | join(" ")')" web1 "points that stay"

say "deleted"
refuses 2 job delete hand
says "say --yes"
ov job delete hand --yes
[ ! -e "$jobs/hand.json" ] || fail "the file is there"
refuses 4 job delete hand --yes
refuses 2 job delete nightly --yes
says "job follows runs after job nightly"
ovj job delete follows --dry-run
equal "$(field .deleted)" false "deleted by a dry run"
ovj job delete follows --yes
ovj job delete nightly --yes
ovj job list
equal "$(field '[.jobs[].name] | join(" ")')" all "what is left"
