# shellcheck shell=bash
# `--to -` writes the raw disk to stdout, in order, and nothing else there.
# tags: quick
text 3000000 1 >disk.raw
truncate -s 10M disk.raw
poke disk.raw 9000000 12345 2
make_repo --block-size 256K
backup disk.raw
rc=0
"$OBJVAULT" restore disk "$point" disk.raw --repo r --to - >back.raw 2>"$err" || rc=$?
no_sanitizer_report
equal "$rc" 0 "exit code"
same disk.raw back.raw

say "a full stdout is an error"
rc=0
"$OBJVAULT" restore disk "$point" disk.raw --repo r --to - >/dev/full 2>"$err" || rc=$?
no_sanitizer_report
equal "$rc" 1 "exit code on /dev/full"
grep -qi 'space' "$err" || fail "the message does not say that there is no space"

say "a closed pipe is an error, and no signal"
rc=0
{ "$OBJVAULT" restore disk "$point" disk.raw --repo r --to - 2>"$err" || echo $? >rc; } | head -c 1000 >/dev/null
no_sanitizer_report
equal "$(cat rc)" 1 "exit code on a closed pipe"
