#!/usr/bin/env bash
# clang-tidy 14 over the product's code, by .clang-tidy.
#
#   tidy.sh BUILD [FILE...]   BUILD: where compile_commands.json lies
. "$(dirname "$0")/common.sh"
need clang-tidy-14
build=$(cd "${1:?tidy.sh: say which build folder}" && pwd)
shift
cd "$top" || exit 1
if [ $# -eq 0 ]; then
    mapfile -t files < <(c_files "${product[@]}" | grep '\.c$')
    set -- "${files[@]}"
fi

one() {
    # gcc's own warning flags are none of clang-tidy's business.
    if ! said=$(clang-tidy-14 --quiet -p "$1" \
        --extra-arg=-Wno-unknown-warning-option "$2" 2>/dev/null); then
        grep -E ': (warning|error):' <<<"$said" || echo "$2: clang-tidy failed"
    fi
}
export -f one

while read -r said; do
    finding "${said#"$top"/}"
done < <(printf '%s\n' "$@" |
    xargs -P "$(nproc)" -I{} bash -c 'one "$1" "$2"' _ "$build" {} | sort -u)
finish
