#!/usr/bin/env bash
# The end-to-end scenarios, on any repository URL.
#
#   run.sh [--quick] [--only NAME]... [--jobs N] [--results FILE] [--list] [URL]
#
# URL: file:///folder or s3://bucket[/prefix]; each scenario works in a folder
# of that name below it.  Default: a folder in a temporary directory.  For S3
# the server and its keys come from OBJVAULT_TEST_S3_ENDPOINT, _ACCESS_KEY,
# _SECRET_KEY, _CA (minio-test/server.sh prints them).
#
# Environment: OBJVAULT, the program (default: build/dev's); E2E_SANITIZER,
# "address" or "thread" where the program was built with one; E2E_KEEP=1 keeps
# the folders of failed scenarios.
#
# A scenario is a file of scenarios/ whose name says what must hold.  Its line
# `# tags:` may hold: quick (part of --quick), s3, file (only there), not-tsan
# REASON is given on a line `# not-tsan: REASON`.
#
# Results: a line each on stdout; with --results also appended to FILE as
# pass|fail|skip, name, reason, seconds, separated by tabs.  Exit 1 if any
# failed.
set -euo pipefail
umask 077 # passwords and keys of the scenarios are their user's alone
E2E=$(cd "$(dirname "$0")" && pwd)
export E2E
top=$(cd "$E2E/../.." && pwd)

quick=no list=no jobs=1 results='' url='' only=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    --list) list=yes ;;
    --only) only+=("$2") && shift ;;
    --jobs) jobs=$2 && shift ;;
    --results) results=$(realpath -m "$2") && shift ;;
    -*)
        echo "run.sh: unknown option $1" >&2
        exit 2
        ;;
    *) url=$1 ;;
    esac
    shift
done

tagged() { # tagged FILE TAG
    grep -qE "^# tags:.*\\b$2\\b" "$1"
}

scenarios=()
for f in "$E2E"/scenarios/*.sh; do
    n=$(basename "$f" .sh)
    if [ ${#only[@]} -gt 0 ]; then
        chosen=no
        for o in "${only[@]}"; do
            # shellcheck disable=SC2053 # a pattern
            [[ $n == $o ]] && chosen=yes
        done
        [ $chosen = yes ] || continue
    fi
    [ $quick = no ] || tagged "$f" quick || continue
    case $url in
    s3:*) ! tagged "$f" file || continue ;;
    *) ! tagged "$f" s3 || continue ;;
    esac
    scenarios+=("$n")
done
if [ $list = yes ]; then
    printf '%s\n' "${scenarios[@]}"
    exit 0
fi
[ ${#scenarios[@]} -gt 0 ] || {
    echo "run.sh: no scenario of that name" >&2
    exit 2
}

if [ -z "${OBJVAULT:-}" ]; then
    OBJVAULT=$(find "$top/build/dev" -name objvault -type f -perm -u+x \
        2>/dev/null | head -n 1 || true)
fi
[ -x "${OBJVAULT:-}" ] || {
    echo "run.sh: no program: set OBJVAULT, or build the preset dev" >&2
    exit 2
}
OBJVAULT=$(realpath "$OBJVAULT")
export OBJVAULT

work=$(mktemp -d "${TMPDIR:-/tmp}/objvault-e2e.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
url=${url:-file://$work/store}
url=${url%/}

# Nothing of this machine's own configuration reaches the program.
unset "${!AWS_@}" OBJVAULT_HOME OBJVAULT_STATE OBJVAULT_NOW OBJVAULT_PASSWORD
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_EC2_METADATA_DISABLED=true
export LC_ALL=C TZ=UTC
case $url in s3:*)
    export AWS_ACCESS_KEY_ID=${OBJVAULT_TEST_S3_ACCESS_KEY:?not set}
    export AWS_SECRET_ACCESS_KEY=${OBJVAULT_TEST_S3_SECRET_KEY:?not set}
    : "${OBJVAULT_TEST_S3_ENDPOINT:?not set}"
    python3 "$E2E/objects.py" "$url" make
    # For scenarios that kill a server: one of their own.  (Their home is not
    # where it was built.)
    if minio=$("$top/minio-test/server.sh" find --no-build 2>/dev/null); then
        export OBJVAULT_TEST_MINIO=$minio
    fi
    ;;
esac
export ASAN_OPTIONS=exitcode=99:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
export TSAN_OPTIONS=exitcode=99:halt_on_error=1:second_deadlock_stack=1

# play NAME: one scenario in its own folder; the verdict goes to $work/NAME.end.
play() {
    local n=$1 dir=$work/$1 start=$EPOCHREALTIME status=0 verdict reason=''
    mkdir -p "$dir"
    local why
    why=$(sed -n 's/^# not-tsan: //p' "$E2E/scenarios/$n.sh")
    if [ "${E2E_SANITIZER:-}" = thread ] && [ -n "$why" ]; then
        status=77
        echo "SKIP: under ThreadSanitizer: $why" >"$dir.log"
    else
        (
            cd "$dir"
            export HOME=$dir OBJVAULT_HOME=$dir/.config
            export OBJVAULT_STATE=$dir/.state URL=$url/$n
            exec bash -c '. "$E2E/lib.sh" && . "$E2E/scenarios/$1.sh"' _ "$n"
        ) >"$dir.log" 2>&1 </dev/null || status=$?
    fi
    case $status in
    0) verdict=pass ;;
    77)
        verdict=skip
        reason=$(sed -n 's/^SKIP: //p' "$dir.log" | tail -n 1)
        ;;
    *)
        verdict=fail
        reason=$(sed -n 's/^FAIL: //p' "$dir.log" | tail -n 1)
        reason=${reason:-stopped with exit $status}
        ;;
    esac
    local seconds
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" \
        'BEGIN { printf "%.1f", b - a }')
    printf '%s\t%s\t%s\t%s\n' "$verdict" "e2e: ${n//_/ } (${url%%:*})" \
        "$reason" "$seconds" >"$work/$n.end"
    {
        echo "$verdict  ${n//_/ }  (${seconds} s)${reason:+: $reason}"
        if [ $verdict = fail ]; then
            tail -n 60 "$dir.log" | sed 's/^/    /'
        fi
    } >"$work/$n.text"
    cat "$work/$n.text"
    if [ $verdict = fail ] && [ "${E2E_KEEP:-}" = 1 ]; then
        echo "    kept: $dir"
    else
        umount "$dir"/tmpfs* 2>/dev/null || true
        rm -rf "$dir"
    fi
    [ "${E2E_KEEP:-}" = 1 ] || case $url in
    s3:*) python3 "$E2E/objects.py" "$url/$n" drop ;;
    *) rm -rf "${url#file://}/${n:?}" ;;
    esac
}

for n in "${scenarios[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n || true
    done
    play "$n" &
done
wait

failed=0
for n in "${scenarios[@]}"; do
    if [ ! -f "$work/$n.end" ]; then
        printf 'fail\te2e: %s\tthe suite broke off\t0\n' "$n" >"$work/$n.end"
    fi
    [ -z "$results" ] || cat "$work/$n.end" >>"$results"
    ! grep -q ^fail "$work/$n.end" || failed=$((failed + 1))
done
if [ "${E2E_KEEP:-}" = 1 ] && [ $failed -gt 0 ]; then
    trap - EXIT
fi
echo "${#scenarios[@]} scenarios on ${url%%:*}://, $failed failed"
[ $failed -eq 0 ]
