# shellcheck shell=bash
# Acceptance of key servers, 22: neither a dump of the process, nor what it logs
# or says, holds a password, a data key, a key that wraps it, or a sub-key.  A
# process that crashes leaves no dump; root, who can take one all the same, finds
# no key in it.
# tags: file
# not-tsan: its memory is too large to be dumped
python3 -c 'import cryptography' 2>/dev/null || skip "no cryptography for Python"
! under_sanitizer || skip "a sanitizer's memory is too large to be dumped"
echo 'correct horse battery' >pw
noise 3000000 1 >disk.raw
make_repo --block-size 256K
run=(--verbose --verbose backup run disk.raw --repo r --encrypt password
    --password-file pw --limit-upload 400K)

# in_the_middle: starts the run; its pid in $pid, once it stores blocks.
in_the_middle() {
    (
        ulimit -c unlimited 2>/dev/null || true
        exec "$OBJVAULT" "${run[@]}"
    ) >"$out" 2>"$err" </dev/null &
    pid=$!
    for ((i = 0; i < 200; i++)); do
        [ "$(objects ls | grep -c /blocks/)" -lt "$1" ] || return 0
        sleep 0.1
    done
    fail "the run stores nothing"
}

say "a process that crashes leaves no dump"
in_the_middle 1
kill -ABRT $pid
rc=0
wait $pid 2>/dev/null || rc=$?
equal "$rc" 134 "exit code of a crash"
[ -z "$(find . -name 'core*')" ] || fail "it left $(find . -name 'core*')"

say "what it stores, says and logs"
python3 "$E2E/sealed.py" "$URL" secrets pw | sed s/^/hex:/ >needles
at_least "$(grep -c . needles)" 9 "keys: the data key, what wraps it, sub-keys"
cat pw >>needles
clean() { # clean FILE
    python3 "$E2E/sealed.py" "$1" search needles || fail "$1 holds a key"
}
had=$(objects ls | grep -c /blocks/)
in_the_middle $((had + 1))
command -v gcore >/dev/null && gcore -o core $pid >.gcore 2>&1 || true
rc=0
wait $pid || rc=$?
equal "$rc" 0 "exit code of the run"
at_least "$(grep -c . "$err")" 1 "lines that it logged"
clean "$err"
clean "$out"
python3 "$E2E/sealed.py" "$URL" search needles || fail "the repository holds a key"
find .state .config -type f >files
while read -r name; do
    [ ! -s "$name" ] || clean "$name"
done <files

say "what root can dump"
core=$(find . -name 'core*')
if [ -z "$core" ]; then
    [ "$(id -u)" -ne 0 ] || skip "no dump could be taken: $(tail -n 1 .gcore)"
    exit 0 # nobody but root can
fi
at_least "$(stat -c %s "$core")" 1000000 "bytes of the dump"
echo "$PWD/disk.raw" >control # what it does hold
! python3 "$E2E/sealed.py" "$core" search control >/dev/null 2>&1 ||
    fail "the search finds nothing at all"
clean "$core"
