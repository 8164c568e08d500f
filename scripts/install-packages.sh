#!/usr/bin/env bash
# Installs the Debian 12 packages of the given sections of packages.txt, and
# only those that are missing.
#
#   scripts/install-packages.sh [--list] SECTION...      build, test, go
#
# Exit: 0 all there; 1 apt failed; 2 wrong usage, or nothing that can be done
# on this system (the missing packages are named).
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

die() {
    echo "install-packages: $*" >&2
    exit 2
}

list=no
if [ "${1:-}" = --list ]; then
    list=yes
    shift
fi
[ $# -gt 0 ] || die "say which sections of packages.txt: build, test, go"

packages=()
for section; do
    found=$(awk -v s="$section" '$1 == s { print $2 }' "$top/packages.txt")
    [ -n "$found" ] || die "packages.txt has no section '$section'"
    mapfile -t -O "${#packages[@]}" packages <<<"$found"
done
if [ $list = yes ]; then
    printf '%s\n' "${packages[@]}"
    exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is not a Debian system; install the equivalents of: ${packages[*]}"
fi

missing=()
for p in "${packages[@]}"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

id=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}")
[ "$id" = "debian 12" ] ||
    echo "install-packages: this is $id; names and versions are those of Debian 12" >&2

sudo=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "not root and no sudo: as root, run: apt-get install ${missing[*]}"
    sudo=(sudo)
fi

apt() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -q -y "$@"
}

echo "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The lists may be absent or stale: they are read anew before the install.
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install-packages: apt-get failed (above: the end of what it said)" >&2
    exit 1
fi
