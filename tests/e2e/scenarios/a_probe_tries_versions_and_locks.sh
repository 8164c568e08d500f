# shellcheck shell=bash
# On buckets with versions and with object lock `repo probe` tries those too,
# waits for its own locks, and leaves no version behind.
# tags: s3
bucket=${URL#s3://}
base=s3://${bucket%%/*}
name=$(basename "$URL")
result() { # result NAME: of the last probe
    field ".capabilities[] | select(.name == \"$1\") | .result"
}

URL=$base-versions/$name
objects make
objects versioning
trap 'objects purge' EXIT
make_repo
ovj repo probe r
equal "$(result conditional_put) $(result versions) $(result lock_holds)" \
    "yes yes not applicable" "versioned bucket"
equal "$(objects versions)" "version objvault.json" "versions that stay"
objects purge

say "object lock"
URL=$base-locks/$name
objects make-locked
ov repo remove r
make_repo
ovj repo probe r
for c in conditional_put versions lock_kept lock_holds lock_not_shortened \
    lock_ends; do
    equal "$(result $c)" yes "$c"
done
# These are the owner's keys.
equal "$(result governance_holds)" no governance_holds
equal "$(result settings_survive)" unknown settings_survive
equal "$(objects versions)" "version objvault.json" "versions that stay"

say "a default retention would lock the probe's objects for days"
objects default-retention COMPLIANCE 1
refuses 6 repo probe r
says 'default retention'
refuses 6 bench repo r
says 'default retention'
equal "$(objects versions)" "version objvault.json" "versions that stay"
