#!/usr/bin/env bash
# Every header compiles alone: it includes what it needs.
#
#   headers.sh BUILD     BUILD: where compile_commands.json lies
. "$(dirname "$0")/common.sh"
need jq
commands=${1:?headers.sh: say which build folder}/compile_commands.json
[ -f "$commands" ] || { finding "$commands is not there"; finish; }

# The flags of the project's own files, without -o, -c and the file itself.
flags=$(jq -r 'map(select(.file | test("/(base|engine)/")))[].command' \
    "$commands" | tr ' ' '\n' |
    grep -E '^-(I|D|isystem|std=|W|f(PIC|no-common))|^\/usr\/include' | grep -v '"' |
    LC_ALL=C sort -u | tr '\n' ' ')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

one() {
    printf '#include "%s"\n#include "%s"\n' "$1" "$1" >"$2/$$.c"
    # shellcheck disable=SC2086 # flags are words
    if ! said=$(cc $flags -I "$top" -Werror -fsyntax-only "$2/$$.c" 2>&1); then
        echo "$1: does not compile alone: $(head -n 3 <<<"$said" | tr '\n' ' ')"
    fi
    rm -f "$2/$$.c"
}
export -f one
export flags top

while read -r said; do
    finding "$said"
done < <(c_files "${product[@]}" | grep '\.h$' |
    xargs -P "$(nproc)" -I{} bash -c 'one "$1" "$2"' _ {} "$tmp")
finish
