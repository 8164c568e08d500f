#!/usr/bin/env bash
# The program against a real S3 server: the driver's tests and the end-to-end
# scenarios over plain HTTP, and shorter runs over TLS with a CA of our own,
# on a server that insists on its region, and with a session's token.
#
#   run.sh [--build DIR] [--quick] [--jobs N] [--results FILE]
#
# DIR: a finished build with tests (default: build/dev).  Which server:
# server.sh says.  Exit: 0; 1 something failed; 77 no server can be had.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build/dev results='' jobs=1 quick=()
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$(realpath "$2") && shift ;;
    --jobs) jobs=$2 && shift ;;
    --results) results=$(realpath -m "$2") && shift ;;
    --quick) quick=(--quick) ;;
    *)
        echo "run.sh: unknown option $1" >&2
        exit 2
        ;;
    esac
    shift
done
cd "$top"
OBJVAULT=${OBJVAULT:-$(find "$build" -name objvault -type f -perm -u+x \
    -not -path '*/CMakeFiles/*' | head -n 1)}
export OBJVAULT
[ -x "$OBJVAULT" ] || {
    echo "run.sh: no program in $build" >&2
    exit 2
}

tmp=$(mktemp -d)
results=${results:-$tmp/results}
cleanup() {
    local name
    for name in plain tls region session; do
        minio-test/server.sh stop "$tmp/$name"
    done
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
bad=0

start() { # start FOLDER OPTION...: a server, and how to reach it
    local status=0
    minio-test/server.sh start "$@" >"$tmp/env" || status=$?
    [ $status -eq 0 ] || exit $status
    . "$tmp/env"
}

# driver_tests LABEL PATTERN: tests of the build on the server at hand.
driver_tests() {
    local status=0
    echo "== $1, on $OBJVAULT_TEST_S3_ENDPOINT"
    ctest --test-dir "$build" -R "$2" --no-tests=error \
        --output-on-failure --output-junit "$tmp/junit.xml" \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 ||
        status=1
    python3 scripts/count_ctest.py "$tmp/junit.xml" "$1" >>"$results"
    return $status
}

# A server of ours in the place of the one before.
another() { # another FOLDER OPTION...
    unset OBJVAULT_TEST_S3_{ENDPOINT,CA,REGION,SESSION_TOKEN}
    start "$@"
}

own=${OBJVAULT_TEST_S3_ENDPOINT:+yes} # somebody else's server
start "$tmp/plain"
driver_tests "on the S3 server" \
    '^(objstore_test_s3(_flip)?|conformance_(s3|libs3))$' || bad=1

bucket=objvault-e2e-$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')
echo "== scenarios on $OBJVAULT_TEST_S3_ENDPOINT"
tests/e2e/run.sh "${quick[@]}" --jobs "$jobs" --results "$results" \
    "s3://$bucket/e2e" || bad=1

# What thousands of requests show was shown above.
export CONFORMANCE_SHORT=1
case ${own:-no}:${OBJVAULT_TEST_S3_ENDPOINT%%:*} in
yes:https) ;; # all of it went over TLS already
*)
    another "$tmp/tls" --tls
    driver_tests "over TLS" '^conformance_s3$' || bad=1
    for scenario in an_increment_costs_what_changed \
        certificates_are_verified; do
        tests/e2e/run.sh --only $scenario --results "$results" \
            "s3://$bucket/tls" || bad=1
    done
    ;;
esac

another "$tmp/region" --region eu-central-1
OBJVAULT_TEST_S3_OPEN_REGION=us-west-2 \
    driver_tests "led to the server's region" '^conformance_s3$' || bad=1

another "$tmp/session" --session
driver_tests "with a session's token" '^conformance_s3$' || bad=1
exit $bad
