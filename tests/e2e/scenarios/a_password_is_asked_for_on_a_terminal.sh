# shellcheck shell=bash
# On a terminal passwords are asked for, unseen: twice where one is set. A wrong
# one opens nothing and makes nothing, and Control-C leaves the terminal as it was.
# tags: quick
asked() { # asked EXIT ANSWER... -- ARGUMENT...
    local want=$1 rc=0 answers=()
    shift
    while [ "$1" != -- ]; do
        answers+=("$1")
        shift
    done
    shift
    say "objvault $*"
    python3 "$E2E/terminal.py" shown "${answers[@]}" -- \
        sh -c '"$@"; rc=$?; stty -a | grep -q " -echo " && rc=99; exit $rc' sh \
        "$OBJVAULT" "$@" || rc=$?
    [ "$rc" -eq "$want" ] || fail "exit $rc, not $want: $(cat shown)"
    ! grep -q horse shown || fail "the password is shown"
}

shows() {
    grep -q -- "$1" shown || fail "\"$1\" is not shown: $(cat shown)"
}

make_repo --block-size 256K
noise 700000 1 >disk.raw

say "the first run makes a keyset"
asked 2 "correct horse" "other horse" -- backup run disk.raw --repo r --encrypt password
shows "differ"
[ -z "$(objects ls keysets/)" ] || fail "a keyset was made"
asked 130 "correct horse" ^C -- backup run disk.raw --repo r --encrypt password
asked 130 ^C -- backup run disk.raw --repo r --encrypt password
[ -z "$(objects ls keysets/)" ] || fail "a keyset was made"
asked 0 "correct horse" "correct horse" -- backup run disk.raw --repo r \
    --encrypt password --password-hint "what it eats"
equal "$(objects ls keysets/ | wc -l)" 1 "slots"

say "the next ones open it"
asked 0 "correct horse" -- backup run disk.raw --repo r --encrypt password
asked 0 "correct horse" -- restore disk disk@latest --repo r --to back.raw
same_disk disk.raw back.raw
shows "hint: what it eats"
asked 5 "wrong horse" -- backup run disk.raw --repo r --encrypt password
shows "wrong password"
asked 5 "wrong horse" -- restore disk disk@latest --repo r --to no.raw
equal "$(objects ls keysets/ | wc -l)" 1 "slots"
asked 130 ^C -- point list --repo r
asked 0 "" -- point list --repo r
asked 2 "$(printf '%01024d' 1)" -- point list --repo r
shows "longer than 1023 bytes"
asked 0 ^Z "correct horse" -- point list --repo r
shows "default"

say "a new password is asked for twice"
asked 2 "correct horse" "new horse" "no horse" -- keyset change-password --repo r
asked 0 "correct horse" "new horse" "new horse" -- keyset change-password --repo r
asked 5 "correct horse" -- point list --repo r
asked 0 "new horse" -- point list --repo r
