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

# ends_as_removed PID: the answer of the process, in late.out.
ends_as_removed() {
    rc=0
    wait "$1" || rc=$?
    cp late.out "$out"
    cp late.err "$err"
    equal "$rc" 4 "exit code"
    one_document
    equal "$(field '"\(.ok) \(.error.code)"')" "false not-found" "the answer"
    grep -q removed <<<"$(field .error.message)" || fail "$(field .error)"
}

backup vm
for how in "restore disk vm@latest disk.raw --to back.raw" \
    "restore vm vm@latest --to back"; do
    say "$how"
    one=$point
    read -ra words <<<"$how"
    "$OBJVAULT" --json "${words[@]}" --repo r --limit-download 1M >late.out \
        2>late.err </dev/null &
    late=$!
    sleep 0.7
    remove_it
    ends_as_removed $late
done
[ ! -e back.raw ] || fail "a part of a disk has the disk's name"
[ ! -e back/disk.raw ] || fail "a part of a disk has the disk's name"

say "a verification that is held in the middle"
for try in 1 2 3 4 5 6 7 8 9 10; do
    one=$point
    "$OBJVAULT" --json point verify "$one" --repo r >late.out 2>late.err \
        </dev/null &
    late=$!
    sleep "0.0$try"
    kill -STOP $late 2>/dev/null || continue
    remove_it
    kill -CONT $late
    if [ "$try" -lt 10 ] && grep -q '"ok":true' late.out; then
        wait $late
        continue # it was done
    fi
    ends_as_removed $late
    break
done
restored vm@latest whole vm
holds_live_set
