# shellcheck shell=bash
# Help of the program and of every command; the version; the man page.
# tags: quick
ov --help
cp "$out" help
grep -q 'backup run' help || fail "the help does not name backup run"
ov --version
for c in 'repo create' 'repo attach' 'repo list' 'repo show' 'repo remove' \
    'repo stats' 'repo probe' 'repo check' 'repo recover' 'repo gc' \
    'source add' 'source list' 'source show' 'source remove' 'vm list' \
    'vm find' 'job create' 'job list' 'job show' 'job edit' 'job delete' \
    'job enable' 'job disable' 'job next' 'job run' 'job stop' \
    'repo locks' 'repo leases' 'repo estimate' 'bench repo' \
    'backup run' 'point list' 'point show' 'point export' \
    'point verify' 'point delete' 'point protect' 'point unprotect' 'restore disk' 'restore vm' 'config check' \
    'job history' 'job report' 'job forget-deleted' 'daemon' 'config schema'; do
    read -r -a words <<<"$c"
    ov "${words[@]}" --help
    grep -q "$c" "$out" || fail "$c --help does not show its usage"
    grep -q -- "${c#* }" help || fail "the help does not name $c"
done
