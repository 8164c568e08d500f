# shellcheck shell=bash
# Over the soft quota a run is done, with a warning that names what is held and
# the quota (exit 3); over the hard one none begins (exit 5, "quota"), while
# everything else works.  Collection frees space, and runs go on.
# tags: quick
mkdir vm
noise 2000000 1 >vm/disk.raw
refuses 2 repo create r "$URL" "${store[@]}" --quota 2M --quota-hard 1M
says "quota hard"
make_repo --block-size 256K --quota 1M --quota-hard 4M
ovj repo show r
equal "$(field '.repo | "\(.quota_bytes) \(.quota_hard_bytes)"')" \
    "1048576 4194304" "quotas"
ov config check

say "over the soft quota"
backup_warned vm --retention 1d --timezone UTC
one=$point
field '.vms[0].messages[0]' | grep -q "holds 1.9 MiB, and its soft quota is 1.0 MiB" ||
    fail "the warning does not name both: $(field '.vms[0].messages')"

say "a run that crosses the hard quota is not stopped"
noise 3000000 2 >vm/disk.raw
backup_warned vm
two=$point

say "the next one does not begin"
cp -r vm vm-two
before=$(objects ls | wc -l)
noise 3000000 3 >vm/disk.raw
for state in kept lost; do
    refuses 5 backup run vm --repo r
    says "holds 4.8 MiB, and its hard quota is 4.0 MiB"
    says "repo gc r"
    says "--quota-hard"
    equal "$(field .error.code)" quota "error code ($state)"
    rm -rf "$OBJVAULT_STATE"
done
at_most "$(objects ls plain/ | wc -l)" "$before" "objects after runs that were refused"

say "all the rest works"
ov point list --repo r
ov repo check r
ov repo stats r
ov repo locks r
restored "$two" back vm-two
ov repo gc r --yes
refuses 5 backup run vm --repo r

say "space is freed, and runs go on"
ov point delete "$one" --repo r --yes
ov repo gc r --yes
backup_warned vm
say "other quotas"
ovj repo set r --quota 0 --quota-hard 1T
equal "$(field '"\(.quota_bytes) \(.quota_hard_bytes) \(.immutable_seconds)"')" \
    "null 1099511627776 null" "quotas"
noise 100000 4 >vm/disk.raw
backup vm
refuses 2 repo set r --quota 2T
says "quota hard"
refuses 2 repo set r
says "--quota"
other_machine # has settings of its own
ov repo attach r "$URL" "${store[@]}" --quota-hard 1K
refuses 5 backup run vm --repo r
restored "$two" back-other vm-two
