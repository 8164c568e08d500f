# shellcheck shell=bash
# What a job cannot be made with is refused, with the reason and what to do
# instead, and nothing is saved; the same written into a file is refused by its
# check, for the same reason.
# tags: quick file
# not-tsan: its commands have one thread
mkdir -p vms/prod/web1 vms/prod/web2 other/web1
for d in vms/prod/web1 vms/prod/web2 other/web1; do truncate -s 1M "$d/vda.raw"; done
ov source add lab dir:vms
make_repo
jobs=$OBJVAULT_HOME/jobs
mkdir -p "$OBJVAULT_HOME/credentials" "$OBJVAULT_HOME/kms"
echo '{"url":"s3://bucket","endpoint":"http://127.0.0.1:1"}' >"$OBJVAULT_HOME/repos/cloud.json"
echo '{"access_key_id":"AKID","secret_access_key":{"file":"/nowhere"}}' \
    >"$OBJVAULT_HOME/credentials/s3.json"
chmod 600 "$OBJVAULT_HOME/credentials/s3.json"
echo secret >password
chmod 600 password

cannot() { # cannot EXIT REASON OPTION...
    local want=$1 reason=$2
    shift 2
    refuses "$want" job create no --vm lab:web1 "$@"
    says "$reason"
    [ ! -e "$jobs/no.json" ] || fail "it is saved"
}

say "what the wizard's repositories, logs and keys do not allow"
cannot 2 'repository cloud is on object storage' --repo cloud --synthetic-full sat
says 'use active_full'
cannot 2 'reverse incremental is not done: it rewrites' --repo r --method reverse
says 'use forward'
cannot 2 'log backup is not done' --repo r --guest require --guest-logs backup
says 'process, which truncates'
cannot 2 'no key server "main" is configured' --repo r --encrypt kms:main
cannot 2 'needs --password-file or --password-command' --repo r --encrypt password
cannot 2 'exclude each other' --repo r --encrypt password --password-file password \
    --password-command 'cat password'
cannot 4 'no such file' --repo r --encrypt password --password-file gone
cannot 2 'neither none, password nor kms:NAME' --repo r --encrypt kmip:main
cannot 2 'have the keys of an S3 server' --repo r --guest try --guest-credentials s3
cannot 2 'needs retention' --repo r --gfs weekly=4

say "a key server that does not answer"
"$E2E/../../kms-test/pki.sh" "$PWD/pki" >/dev/null 2>&1 || fail "no certificates"
printf '{"server":"127.0.0.1:1","ca":"%s/ca.crt","cert":"%s/client.crt","key":"%s/client.key"}' \
    "$PWD/pki" "$PWD/pki" "$PWD/pki" >"$OBJVAULT_HOME/kms/gone.json"
cannot 8 'key server gone: ' --repo r --encrypt kms:gone

say "what is not there"
cannot 2 'several repositories are configured'
cannot 2 'the nearest is "cloud"' --repo cluod
refuses 4 job create no --vm lab:web9 --repo r
says 'no VM "web9"; did you mean web1, web2?'
refuses 4 job create no --container lab:prodd --repo r
says 'no container "prodd"; did you mean prod?'
refuses 2 job create no --vm lap:web1 --repo r
says 'the nearest is "lab"'
refuses 2 job create no --repo r
says 'neither vms nor containers'
cannot 2 'no job "gone" is configured' --repo r --schedule 'after gone'
cannot 2 'cannot run after itself' --repo r --schedule 'after no'
cannot 2 'timezone: ' --repo r --timezone Europe/Berln

say "two of one name must be told apart"
mkdir -p vms/test/web1
truncate -s 1M vms/test/web1/vda.raw
refuses 2 job create no --vm lab:web1 --repo r
says 'prod/web1'
ov job create told --vm lab:prod/web1 --repo r
rm -r vms/test

say "a repository need not be reachable; a source that is not is a warning"
ov job create away --vm lab:web1 --repo cloud
ov source add far dir:other
mv other away
try job create half --vm lab:web1 --vm far:web1 --repo r
equal "$rc" 3 "exit code"
warns 'source "*far'
[ -e "$jobs/half.json" ] || fail "it is not saved"

say "the same in a file"
checked() { # checked REASON: what config check says of no.json
    try --json config check
    equal "$rc" 2 "exit code of config check"
    [[ $(field '.files[] | select(.ok | not) | .message') == *no.json*"$1"* ]] ||
        fail "config check does not say '$1': $(cat "$out")"
    rm "$jobs/no.json"
}
in_file() { # in_file JSON REASON
    echo "$1" >"$jobs/no.json"
    refuses 2 job show no
    says "$2"
    checked "$2"
}
in_file '{"vms":["lab:web1"],"repo":"r","method":"reverse"}' 'reverse incremental is not done'
in_file '{"vms":["lab:web1"],"repo":"r","guest":{"logs":"backup"}}' 'log backup is not done'
in_file '{"vms":["lab:web1"],"repo":"r","password":"secret"}' password
in_file '{"vms":["lab:web1"],"repo":"r","gfs":"weekly=4"}' 'needs retention'
echo '{"vms":["lab:web1"],"repo":"cloud","synthetic_full":"sat"}' >"$jobs/no.json"
checked 'repository cloud is on object storage'
