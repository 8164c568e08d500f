# shellcheck shell=bash
# What the checks of this folder share: where the tree is, and how a finding is
# counted.  Sourced, never run.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=$(basename "$0" .sh)
findings=0

# Folders whose C code is the product.
product=(base objstore manifest engine cli)
if [ -d "$top/kms" ]; then
    product+=(kms)
fi

# finding TEXT...: one line per thing that is wrong.
finding() {
    echo "$name: $*" >&2
    findings=$((findings + 1))
}

# Ends the check: 0 clean, 1 with findings.
finish() {
    [ "$findings" -eq 0 ] || exit 1
    exit 0
}

# need TOOL: without it the check cannot say anything.  77 means skipped.
need() {
    command -v "$1" >/dev/null || {
        echo "$name: $1 is not installed (scripts/install-packages.sh test)" >&2
        exit 77
    }
}

# C files below the given folders, with their path from the root.
c_files() {
    (cd "$top" && find "$@" -name '*.[ch]' -type f | LC_ALL=C sort)
}
