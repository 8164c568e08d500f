# shellcheck shell=bash
# repo estimate of a repository with several keysets is the sum of theirs; what
# nobody can open is left out, and told so.
# tags: s3
echo one >one
echo two >two
noise 1500000 1 >a.raw
noise 2500000 2 >b.raw
noise 3500000 3 >c.raw
make_repo --block-size 256K
backup a.raw --encrypt none
backup b.raw --encrypt password --password-file one
backup c.raw --encrypt password --password-file two --keyset other

figures() { # figures EXIT OPTION...: points and bytes that are sent
    try --json repo estimate r --days 10 --change 10% "${@:2}"
    equal "$rc" "$1" "exit code of repo estimate ${*:2}"
    one_document
    figure=$(field '"\(.points) \(.sent_bytes)"')
    skipped=$(field .keysets_skipped)
}
is_sum() { # is_sum FIGURES...: the last figures are these added up, but for rounding
    printf '%s\n' "$@" "$figure" | awk '
        NR > 1 { p += was_p; s += was_s }
        { was_p = $1; was_s = $2 }
        END { exit !(p == was_p && s - was_s < 4 && was_s - s < 4) }' ||
        fail "$figure is not the sum of: $*"
}

say "one by one"
figures 0 --keyset default --password-file one
default=$figure
at_least "${default%% *}" 1 "points of one keyset"
figures 0 --keyset other --password-file two
other=$figure
[ "$default" != "$other" ] || fail "two keysets of unequal disks are equal"

say "what is closed is left out"
figures 3
plain=$figure
equal "$skipped" 2 "keysets left out without a password"
figures 3 --password-file one
equal "$skipped" 1 "keysets left out with one password"
is_sum "$plain" "$default"
grep -q "other" "$err" || fail "the keyset that is left out is not named"

say "all of them"
ov keyset add-slot --repo r --keyset other --password-file two --new-password-file one
figures 0 --password-file one
equal "$skipped" 0 "keysets left out"
is_sum "$plain" "$default" "$other"
