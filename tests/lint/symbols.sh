#!/usr/bin/env bash
# What a library exports carries its folder's prefix (obj_, mf_, eng_, cli_; in
# kms kms_, or the name of what a file deals in; in base the file's own name),
# and no two source files share a name.
#
#   symbols.sh BUILD     BUILD: a finished build of the tree
. "$(dirname "$0")/common.sh"
need nm
build=${1:?symbols.sh: say which build folder}

declare -A prefix=(
    [manifest]=mf_ [objstore]=obj_ [cli]=cli_
    [engine_repo]=eng_ [engine_source]=eng_ [engine_backup]=eng_
    [engine_restore]=eng_ [engine_job]=eng_ [engine_retention]=eng_
    [engine_calendar]=eng_ [engine_schedule]=eng_
    [engine_care]=eng_ [engine_inventory]=eng_ [engine_history]=eng_
    [engine_run]=eng_ [engine_daemon]=eng_
    [kms]='kms_ kmip_ ttlv_ wrap_ unwrap_'
    [s3server]=s3server_ [kmsserver]=kmsserver_
)
# Sanitizers and coverage put symbols of their own into every object.
foreign='^(__|_GLOBAL_|_sub_)'

# allowed SYMBOL PREFIX...: whether it has one of them.
allowed() {
    local symbol=$1 p
    shift
    for p; do
        case $symbol in "$p"* | "${p%_}") return 0 ;; esac
    done
    return 1
}

seen=0
while read -r archive; do
    lib=$(basename "$archive" .a)
    lib=${lib#lib}
    while read -r member symbol; do
        file=${member%.c.o}
        want=${prefix[$lib]:-}
        if [ "$lib" = base ]; then
            want=${file}_
        elif [ -z "$want" ]; then
            finding "lib$lib.a has no prefix in tests/lint/symbols.sh"
            break
        fi
        seen=$((seen + 1))
        # shellcheck disable=SC2086 # words
        allowed "$symbol" $want ||
            finding "lib$lib.a: $file.c exports $symbol without $want"
    done < <(nm -A --defined-only --extern-only "$archive" 2>/dev/null |
        awk -v f="$foreign" '$NF !~ f {
            n = split($1, part, ":"); print part[n - 1], $NF }')
done < <(find "$build" -name 'lib*.a' | LC_ALL=C sort)
[ "$seen" -gt 100 ] ||
    finding "only $seen symbols below $build: is it a finished build?"

twice=$(cd "$top" && find "${product[@]}" -name '*.c' -printf '%f\n' |
    sort | uniq -d)
for f in $twice; do
    finding "$f: two source files of this name"
done
finish
