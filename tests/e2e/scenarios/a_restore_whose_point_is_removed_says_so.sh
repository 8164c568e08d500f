# shellcheck shell=bash
# A point is removed and collected while it is restored: the restore ends with
# "removed" (exit 4), and not with damage; it leaves no disk.
mkdir vm
noise 20000000 1 >vm/disk.raw
make_repo --block-size 256K

# remove_it: the point that was $one is removed and collected.
remove_it() {
    noise 20000000 $((RANDOM + 2)) >vm/disk.raw
    backup vm --full
    ov point delete "$one" --repo r --yes
    ovj repo gc r --yes # nobody waits for who only reads
    at_least "$(field .deleted.objects)" 70 "what was collected"
}

# ends_as_removed [PID]: the answer of the process (which may have ended with
# $rc), in late.out.
ends_as_removed() {
    [ $# -eq 0 ] || {
        rc=0
        wait "$1" || rc=$?
    }
    cp late.out "$out"
    cp late.err "$err"
    equal "$rc" 4 "exit code"
    one_document
    equal "$(field '"\(.ok) \(.error.code)"')" "false not-found" "the answer"
    grep -q removed <<<"$(field .error.message)" || fail "$(field .error)"
}

say "a slow restore of a disk"
backup vm
one=$point
"$OBJVAULT" --json restore disk "$one" disk.raw --to back.raw --repo r \
    --limit-download 1M >late.out 2>late.err </dev/null &
late=$!
sleep 0.7
remove_it
ends_as_removed $late
[ ! -e back.raw ] || fail "a part of a disk has the disk's name"

# held ARG...: the same of a command that is held in its middle; false where it
# was too quick for that.
held() {
    local try late
    for try in 1 2 3 4 5 6 7 8 9; do
        one=$point
        "$OBJVAULT" --json "$@" --repo r >late.out 2>late.err </dev/null &
        late=$!
        sleep "0.0$try"
        kill -STOP $late 2>/dev/null || return 1
        remove_it
        kill -CONT $late
        wait $late || {
            rc=$?
            [ ! -e back/disk.raw ] || fail "a part of a disk has its name"
            ends_as_removed
            return 0
        }
        rm -rf back
    done
    return 1
}

say "a restore and a verification that are held"
held restore vm vm@latest --to back || say "it was too quick"
held point verify vm@latest || say "it was too quick"
restored vm@latest whole vm
holds_live_set
