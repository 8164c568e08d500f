#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all of them.
#
#   ./test.sh              everything (under 25 minutes on two cores)
#   ./test.sh --quick      under two minutes: dev build, unit tests, lints, a
#                          short end-to-end run
#   ./test.sh --long       everything, and where chance plays a part more of it:
#                          200 kills on S3, minutes of fuzzing, 10,000
#                          interleavings, all scenarios under the sanitizers;
#                          CI=true means it
#   ./test.sh --only STEP  one step (may be given more than once)
#   ./test.sh --list       the steps
#
# A step that fails does not stop the others.  The last line is
# "N passed, N failed, N skipped"; what was skipped, and why, and what failed
# stand before it.  With CI=true tests may not be skipped for want of MinIO.
# Logs: build/test-logs/.  Exit: 0 nothing failed, 1 something did, 2 usage.
set -uo pipefail
cd "$(dirname "$0")" || exit 2
top=$PWD
logs=$top/build/test-logs
jobs=$(nproc)

full=(packages lint build unit static e2e clang quickstart minio interleave asan
    tsan fuzz tree)
quick=(packages lint build unit static e2e tree)

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit "$1"
}

steps=("${full[@]}")
mode=full
long=${CI:-false}
only=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick)
        mode=quick
        steps=("${quick[@]}")
        ;;
    --long) long=true ;;
    --only)
        [ $# -ge 2 ] || usage 2 >&2
        [[ " ${full[*]} " == *" $2 "* ]] || {
            echo "test.sh: no step '$2'; there are: ${full[*]}" >&2
            exit 2
        }
        only+=("$2")
        shift
        ;;
    --list)
        printf '%s\n' "${full[@]}"
        exit 0
        ;;
    -h | --help) usage 0 ;;
    *)
        echo "test.sh: unknown option $1" >&2
        usage 2 >&2
        ;;
    esac
    shift
done
[ ${#only[@]} -eq 0 ] || steps=("${only[@]}")
if [ "$long" = true ]; then
    fuzz_seconds=30
    schedules=10000 days=365
else
    fuzz_seconds=10
    schedules=300 days=90
    export E2E_KILLS=${E2E_KILLS:-20}
fi

rm -rf "$logs"
mkdir -p "$logs"
results=$logs/results.tsv
: >"$results"
tmp=$(mktemp -d)

cleanup() {
    [ ! -d "$tmp/server" ] || minio-test/server.sh stop "$tmp/server"
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# row VERDICT NAME [REASON]: one counted test.
row() {
    printf '%s\t%s\t%s\t0\n' "$1" "$2" "${3:-}" >>"$results"
}

# check NAME COMMAND...: one counted test that is a command; 77 is a skip.
check() {
    local name=$1 status=0 said=$tmp/said
    shift
    echo "== $name"
    "$@" >"$said" 2>&1 || status=$?
    cat "$said"
    case $status in
    0) row pass "$name" ;;
    77) row skip "$name" "$(tail -n 1 "$said")" ;;
    *) row fail "$name" "$(reason "$said")" ;;
    esac
    return $status
}

# reason FILE: the line that says why a command failed: a compiler's first error,
# else the last one.
reason() {
    grep -m 1 -E '(: |^)(fatal )?error: |: undefined reference to ' "$1" ||
        grep . "$1" | tail -n 1
}

program() { # program PRESET: the built objvault
    find "$top/build/$1" -name objvault -type f -perm -u+x \
        -not -path "*/CMakeFiles/*" 2>/dev/null | head -n 1
}

# Makes a preset's build up to date.  Not counted: who needs it fails.
built() {
    local preset=$1
    shift
    cmake --preset "$preset" "$@" && cmake --build --preset "$preset"
}

# units PRESET LABEL [CTEST-OPTION...]: the unit tests of a build.
units() {
    local preset=$1 label=$2 junit=$logs/$1.xml status=0
    shift 2
    rm -f "$junit"
    # One more than there are processors: the longest ones mostly wait.
    ctest --test-dir "build/$preset" -j $((jobs + 1)) --no-tests=error \
        --output-on-failure --output-junit "$junit" \
        --test-output-size-passed 1000000 \
        --test-output-size-failed 1000000 "$@" || status=$?
    if [ -f "$junit" ]; then
        python3 scripts/count_ctest.py "$junit" "$label" >>"$results"
    fi
    return $status
}

scenarios() { # scenarios PRESET OPTION... [URL]
    local preset=$1
    shift
    OBJVAULT=$(program "$preset") tests/e2e/run.sh --jobs "$jobs" \
        --results "$results" "$@"
}

# The S3 server that unit tests and the step minio share; started once.
server() {
    local status=0
    [ ! -f "$tmp/server.status" ] || return "$(cat "$tmp/server.status")"
    minio-test/server.sh start "$tmp/server" >"$tmp/server.env" || status=$?
    echo $status >"$tmp/server.status"
    return $status
}

with_server() { # with_server COMMAND...: has the server in its environment
    if server; then
        . "$tmp/server.env"
    fi
    "$@"
}

# ThreadSanitizer of gcc 12 does not know the memory layout that kernels with
# much address randomisation give.
tsan_runner=()
if setarch "$(uname -m)" -R true 2>/dev/null; then
    tsan_runner=(setarch "$(uname -m)" -R)
fi

step_packages() {
    check "packages" scripts/install-packages.sh build test
}

step_lint() {
    local bad=0
    check "lint: layers" tests/lint/layers.sh || bad=1
    check "lint: layers finds planted violations" tests/lint/layers.sh --self || bad=1
    check "lint: sizes" tests/lint/sizes.sh || bad=1
    check "lint: format" tests/lint/format.sh || bad=1
    check "lint: shell" tests/lint/shell.sh || bad=1
    return $bad
}

step_build() {
    check "build: gcc, warnings are errors" built dev -DOBJVAULT_WERROR=ON
}

step_unit() {
    built dev || return 1
    if [ $mode = quick ]; then
        # What needs a server is left out, unless one is named.
        units dev unit -LE "interleave|long|reader"
    else
        with_server units dev unit -LE interleave
    fi
}

# Thousands of schedules, and programs with a bug in them that must find it: in
# the build that is the fastest.
step_interleave() {
    built release -DOBJVAULT_TESTS=ON || return 1
    OBJVAULT_INTERLEAVE_COUNT=${OBJVAULT_INTERLEAVE_COUNT:-$schedules} \
        OBJVAULT_INTERLEAVE_DAYS=$days units release interleavings -L interleave
}

step_static() {
    local bad=0
    built dev || return 1
    check "lint: headers" tests/lint/headers.sh build/dev || bad=1
    check "lint: symbols" tests/lint/symbols.sh build/dev || bad=1
    if [ $mode = full ]; then
        check "lint: cppcheck" tests/lint/cppcheck.sh || bad=1
        check "lint: clang-tidy" tests/lint/tidy.sh build/dev || bad=1
    fi
    return $bad
}

step_e2e() {
    built dev || return 1
    if [ $mode = quick ]; then
        scenarios dev --quick
    else
        scenarios dev
    fi
}

step_clang() {
    check "build: clang, warnings are errors" built clang -DOBJVAULT_WERROR=ON
}

step_quickstart() {
    check "quickstart" ./quickstart.sh
}

step_minio() {
    local status=0
    built release -DOBJVAULT_TESTS=ON || return 1
    server || status=$?
    if [ $status -eq 77 ] && [ "${CI:-}" != true ]; then
        row skip "minio" "no S3 server: none in the environment, no MinIO, none could be built"
        return 0
    elif [ $status -ne 0 ]; then
        row fail "minio" "no S3 server could be started"
        return 1
    fi
    . "$tmp/server.env"
    OBJVAULT=$(program release) minio-test/run.sh --build build/release \
        --results "$results" --jobs "$jobs"
}

# sanitized PRESET NAME: unit tests and scenarios of a build.  Programs with a
# bug planted in them are left out: that they find it was shown without; and what
# plays long with one thread: the daemon's quarter, of which days are played, and
# the walk through schedules; and the reader, which has no code of ours.
sanitized() {
    local preset=$1 name=$2 bad=0 few=()
    check "build: $preset" built "$preset" || return 1
    with_server "${runner[@]}" env \
        ASAN_OPTIONS=detect_stack_use_after_return=1 \
        UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
        TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
        OBJVAULT_INTERLEAVE_COUNT=100 OBJVAULT_INTERLEAVE_DAYS=40 \
        bash -c '. "$1"; units "$2" "unit, $2" -LE reader -E "^planted_|^estimated_|_quarter$|_walk$"' _ \
        "$tmp/functions" "$preset" || bad=1
    # Races show in the unit tests and the quick scenarios; the long ones are
    # played by the other builds.
    [ "$name" != thread ] && [ "$long" = true ] || few=(--quick)
    E2E_SANITIZER=$name E2E_KILLS=10 "${runner[@]}" \
        bash -c '. "$1"; shift; scenarios "$@"' _ "$tmp/functions" "$preset" \
        "${few[@]}" || bad=1
    return $bad
}

step_asan() {
    runner=(env)
    sanitized asan address
}

step_tsan() {
    runner=(env "${tsan_runner[@]}")
    sanitized tsan thread
}

# fuzz_one PROGRAM: the corpus, then some seconds of new input.
fuzz_one() {
    local target=$1 name seeds work
    name=$(basename "$target")
    seeds=$top/tests/fuzz/corpus/${name#fuzz_}
    work=$tmp/fuzz/$name
    mkdir -p "$work/found" "$work/crash"
    {
        "$target" -runs=0 "$seeds" &&
            "$target" -max_total_time="$fuzz_seconds" -timeout=20 -rss_limit_mb=2048 \
                -print_final_stats=1 -artifact_prefix="$work/crash/" \
                "$work/found" "$seeds"
    } >"$logs/$name.log" 2>&1
    case $? in
    0) row pass "fuzz: ${name#fuzz_}" ;;
    *)
        cp -r "$work/crash" "$logs/$name.crash"
        row fail "fuzz: ${name#fuzz_}" "see build/test-logs/$name.log"
        tail -n 30 "$logs/$name.log"
        return 1
        ;;
    esac
}

fuzz_built() { # the targets and what they link, not the other tests
    cmake --preset fuzz && cmake --build build/fuzz --target tests/fuzz/all
}

step_fuzz() {
    local targets
    check "build: fuzz" fuzz_built || return 1
    mapfile -t targets < <(find build/fuzz -name 'fuzz_*' -type f -perm -u+x |
        sort)
    [ ${#targets[@]} -gt 0 ] || {
        row fail fuzz "no target was built"
        return 1
    }
    printf '%s\n' "${targets[@]}" |
        xargs -P 2 -I{} bash -c '. "$1"; fuzz_one "$2"' _ "$tmp/functions" {}
}

tree_state() {
    git status --porcelain 2>/dev/null
}

step_tree() {
    if ! git rev-parse --git-dir >/dev/null 2>&1; then
        row skip "work tree unchanged" "this is not a git work tree"
    elif [ "$(tree_state)" = "$(cat "$tmp/tree")" ]; then
        row pass "work tree unchanged"
    else
        diff <(cat "$tmp/tree") <(tree_state)
        row fail "work tree unchanged" "the tests left something behind"
        return 1
    fi
}

# For the steps that run parts of this in a process of its own.
{
    declare -p top logs jobs results tmp fuzz_seconds
    declare -f row units scenarios program fuzz_one
} >"$tmp/functions"

tree_state >"$tmp/tree"
began=$SECONDS
for step in "${steps[@]}"; do
    at=$SECONDS
    status=0
    rows=$(wc -l <"$results")
    ( "step_$step" ) >"$logs/$step.log" 2>&1 </dev/null || status=$?
    new=$(tail -n +$((rows + 1)) "$results")
    bad=$(grep -c ^fail <<<"$new")
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        row fail "$step" "the step ended with exit $status"
        bad=1
    fi
    printf '%-10s %4d s  %s\n' "$step" $((SECONDS - at)) \
        "$(grep -c ^pass <<<"$new") ok, $bad failed, $(grep -c ^skip <<<"$new") left out"
    if [ "$bad" -gt 0 ]; then
        echo "--- the end of build/test-logs/$step.log:"
        tail -n 60 "$logs/$step.log" | sed 's/^/    /'
    fi
done

count() {
    grep -c "^$1"$'\t' "$results"
}
echo
if [ "$(count skip)" -gt 0 ]; then
    echo "skipped:"
    awk -F'\t' '$1 == "skip" { print "  " $2 ": " $3 }' "$results"
fi
if [ "$(count fail)" -gt 0 ]; then
    echo "failed:"
    awk -F'\t' '$1 == "fail" { print "  " $2 ": " $3 }' "$results"
fi
echo "all steps: $((SECONDS - began)) s; logs: build/test-logs"
echo "$(count pass) passed, $(count fail) failed, $(count skip) skipped"
[ "$(count fail)" -eq 0 ]
