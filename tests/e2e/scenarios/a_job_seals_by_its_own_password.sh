# shellcheck shell=bash
# A job's file says how its points are sealed and where the password is; options
# win. A wrong password fails the run (exit 5), stores nothing and makes no
# keyset; the retry with the right one does all.
# tags: file job

# job PASSWORD: the job, with this reference to its password.
job() {
    mkdir -p "$OBJVAULT_HOME/jobs"
    jq -n --argjson password "$1" '{ containers: ["lab:"], repo: "r",
        encrypt: "password", keyset: "prod", password: $password }' \
        >"$OBJVAULT_HOME/jobs/night.json"
}

mkdir -p src/vm1 src/vm2
noise 600000 1 >src/vm1/disk.raw
noise 600000 2 >src/vm2/disk.raw
printf 'open sesame' >right
printf 'open barley' >wrong
make_repo --block-size 256K
ov source add lab "dir:$PWD/src"

say "the first run makes the keyset"
job "{\"file\":\"$PWD/right\"}"
chmod 644 right
ovj job run night
warns "right can be used by others (mode 0644)"
chmod 600 right
equal "$(field '[.vms[].keyset] | unique | length')" 1 "keysets"
keyset=$(field '.vms[0].keyset')
[ "$keyset" != plain ] || fail "the points are in the clear"
ovj keyset list --repo r
equal "$(field '[.keysets[] | select(.label == "prod")] | length')" 1 "keysets prod"
! grep -rqE 'open sesame' "$OBJVAULT_STATE" || fail "the state holds the password"
refuses 5 restore vm vm1@latest --repo r --to back
ov restore vm vm1@latest --repo r --to back --password-file right
same src/vm1/disk.raw back/disk.raw

say "a wrong password fails the run, and makes nothing"
job "{\"command\":[\"cat\",\"$PWD/wrong\"]}"
noise 600000 3 >src/vm1/disk.raw
blocks=$(objects ls "$keyset/blocks/" | wc -l)
refuses 5 job run night
equal "$(field '"\(.status) \(.vms | length) \(.vms[0].status)"')" \
    "failed 2 failed" "status and VMs"
equal "$(objects ls "$keyset/blocks/" | wc -l)" "$blocks" "blocks"
ovj keyset list --repo r
equal "$(field '[.keysets[] | select(.label == "prod")] | length')" 1 "keysets prod"

say "an option wins over the file, and the retry does all"
ovj job run night --retry --password-file right
equal "$(field '"\(.status) \(.tries) \(.vms | length)"')" "success 2 2" \
    "status, tries and VMs"
equal "$(field '[.vms[].keyset] | unique | join(" ")')" "$keyset" "the keyset"
rm -r back
ov restore vm vm1@latest --repo r --to back --password-file right
same src/vm1/disk.raw back/disk.raw

say "a variable that is not set is named, and nothing is asked"
job '{"env":"NIGHT_PASSWORD"}'
refuses 2 job run night
says NIGHT_PASSWORD

say "the daemon's collection and check open what jobs seal, a wrong one beside it"
job "{\"file\":\"$PWD/wrong\"}"
mv "$OBJVAULT_HOME/jobs/night.json" "$OBJVAULT_HOME/jobs/astray.json"
job "{\"file\":\"$PWD/right\"}"
ov point delete vm1@latest --repo r --yes --password-file right
before=$(objects ls "$keyset/blocks/" | wc -l)
try repo gc r --yes
equal "$rc" 3 "exit code without a key"
equal "$(objects ls "$keyset/blocks/" | wc -l)" "$before" "blocks without a key"
ov repo gc r --yes --keys-of-jobs
[ "$(objects ls "$keyset/blocks/" | wc -l)" -lt "$before" ] ||
    fail "nothing was freed"
