#!/usr/bin/env bash
# An S3 server for tests: somebody's own, or a MinIO of ours.
#
#   server.sh start DIR [--tls] [--region NAME] [--session] [--no-build]
#       Starts a server whose data, log and pid lie in DIR (made), and prints
#       how to reach it as lines for eval:
#           export OBJVAULT_TEST_S3_ENDPOINT=... _ACCESS_KEY=... _SECRET_KEY=...
#       With --tls also OBJVAULT_TEST_S3_CA; with --region, where the server
#       takes no signature for another region, also OBJVAULT_TEST_S3_REGION;
#       with --session the keys are temporary ones, and there is also
#       OBJVAULT_TEST_S3_SESSION_TOKEN.  Where the environment names an
#       endpoint already, that server is taken (not with these options).
#   server.sh stop DIR
#   server.sh kill DIR
#       Ends it as a crash would (SIGKILL).
#   server.sh again DIR
#       Starts it once more, on the port and with the data that it had.
#   server.sh find [--no-build]
#       Prints the path of a MinIO program: $OBJVAULT_TEST_MINIO, `minio` on
#       PATH, Go's bin folders, or one that it builds once and keeps.
#
# Exit: 0; 1 failed; 77 no MinIO can be had here (the reason is on stderr).
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
module=github.com/minio/minio
version=v0.0.0-20260212201848-7aac2a2c5b7c
# A Go that is new enough for this MinIO, as a module of its own: an older go
# can fetch it.
toolchain=go1.24.9
cache=${XDG_CACHE_HOME:-$HOME/.cache}/objvault-test

say() {
    echo "minio-test: $*" >&2
}

# go_version PROGRAM: "1.24" as 1024.
go_version() {
    GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null |
        sed -nE 's/^go([0-9]+)\.([0-9]+).*/\1 \2/p' |
        { read -r major minor && echo $((major * 1000 + minor)); }
}

# Prints a Go >= 1.24, fetching one where need be.
find_go() {
    local go found dir arch
    for go in "$(command -v go || true)" /usr/local/go/bin/go \
        "$HOME/go/bin/go" /usr/lib/go*/bin/go; do
        [ -x "$go" ] || continue
        found=$(go_version "$go" || true)
        if [ -n "$found" ] && [ "$found" -ge 1024 ]; then
            echo "$go"
            return 0
        fi
    done
    go=$(command -v go || true)
    if [ -z "$go" ]; then
        say "no Go here: installing Debian's"
        "$top/scripts/install-packages.sh" go >&2 || return 1
        go=$(command -v go) || return 1
    fi
    arch=$(GOTOOLCHAIN=local "$go" env GOARCH)
    say "fetching $toolchain"
    (
        cd "$work"
        printf 'module none\n' >go.mod
        GOFLAGS=-mod=mod GOTOOLCHAIN=local "$go" mod download \
            "golang.org/toolchain@v0.0.1-$toolchain.linux-$arch" >&2
    ) || return 1
    dir=$(GOTOOLCHAIN=local "$go" env GOMODCACHE)
    dir=$dir/golang.org/toolchain@v0.0.1-$toolchain.linux-$arch
    # Files of a module are not executable; a copy may be made so.
    mkdir -p "$cache"
    rm -rf "$cache/$toolchain.new"
    cp -r "$dir" "$cache/$toolchain.new"
    chmod -R u+w "$cache/$toolchain.new"
    chmod +x "$cache/$toolchain.new/bin/"* \
        "$cache/$toolchain.new/pkg/tool/"*/*
    rm -rf "${cache:?}/$toolchain"
    mv "$cache/$toolchain.new" "$cache/$toolchain"
    echo "$cache/$toolchain/bin/go"
}

build_minio() {
    local go
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
    if [ -x "$cache/minio-$version" ]; then
        echo "$cache/minio-$version"
        return 0
    fi
    if [ -x "$cache/$toolchain/bin/go" ]; then
        go=$cache/$toolchain/bin/go
    else
        go=$(find_go) || {
            say "no Go >= 1.24 can be had here"
            return 1
        }
    fi
    say "building MinIO with $("$go" version) (two to five minutes, once)"
    mkdir -p "$work/bin"
    if ! GOBIN=$work/bin GOTOOLCHAIN=local CGO_ENABLED=0 \
        "$go" install "$module@$version" >"$work/build.log" 2>&1; then
        tail -n 5 "$work/build.log" >&2
        return 1
    fi
    mv "$work/bin/minio" "$cache/minio-$version"
    echo "$cache/minio-$version"
}

find_minio() {
    local go dirs=("$HOME/go/bin") d
    if [ -n "${OBJVAULT_TEST_MINIO:-}" ]; then
        echo "$OBJVAULT_TEST_MINIO"
        return 0
    fi
    if command -v minio; then
        return 0
    fi
    go=$(command -v go || true)
    [ -z "$go" ] || dirs+=("$("$go" env GOPATH)/bin")
    for d in "${dirs[@]}"; do
        if [ -x "$d/minio" ]; then
            echo "$d/minio"
            return 0
        fi
    done
    if [ -x "$cache/minio-$version" ]; then
        echo "$cache/minio-$version"
        return 0
    fi
    if [ "$build" = no ]; then
        say "no MinIO at hand, and building one was not wanted"
        return 77
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    build_minio || return 77
}

# A CA of our own and a certificate for the loopback addresses.
make_certs() {
    local d=$1/certs
    mkdir -p "$d/CAs"
    openssl ecparam -name prime256v1 -genkey -noout -out "$1/ca.key"
    openssl req -x509 -new -key "$1/ca.key" -days 2 -out "$1/ca.crt" \
        -subj "/CN=objvault test CA" 2>/dev/null
    openssl ecparam -name prime256v1 -genkey -noout -out "$d/private.key"
    openssl req -new -key "$d/private.key" -subj "/CN=localhost" \
        -out "$1/server.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$1/ext"
    openssl x509 -req -in "$1/server.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" \
        -CAcreateserial -days 2 -extfile "$1/ext" -out "$d/public.crt" \
        2>/dev/null
    cp "$1/ca.crt" "$d/CAs/ca.crt"
}

# print_env DIR URL: how to reach the server.
print_env() {
    local access=objvaulttest secret=objvaulttestsecret token='' keys
    if [ "$session" = yes ]; then
        # The root user may assume a role too: no other user need be made
        # (MinIO's own interface for that takes encrypted bodies).
        keys=$(OBJVAULT_TEST_S3_ENDPOINT=$2 OBJVAULT_TEST_S3_ACCESS_KEY=$access \
            OBJVAULT_TEST_S3_SECRET_KEY=$secret \
            OBJVAULT_TEST_S3_REGION=${region:-us-east-1} \
            OBJVAULT_TEST_S3_CA=$1/ca.crt \
            python3 -B "$top/tests/e2e/objects.py" s3://none session) || return 1
        { read -r access && read -r secret && read -r token; } <<<"$keys"
    fi
    print_keys "$2" "$access" "$secret"
    if [ -f "$1/ca.crt" ]; then
        printf 'export OBJVAULT_TEST_S3_CA=%q\n' "$1/ca.crt"
    fi
    if [ -n "$region" ]; then
        printf 'export OBJVAULT_TEST_S3_REGION=%q\n' "$region"
    fi
    if [ -n "$token" ]; then
        printf 'export OBJVAULT_TEST_S3_SESSION_TOKEN=%q\n' "$token"
    fi
}

print_keys() {
    printf 'export OBJVAULT_TEST_S3_ENDPOINT=%q\n' "$1"
    printf 'export OBJVAULT_TEST_S3_ACCESS_KEY=%q\n' "$2"
    printf 'export OBJVAULT_TEST_S3_SECRET_KEY=%q\n' "$3"
}

start() {
    local dir=$1 minio
    if [ "$tls$region$session" = nono ] &&
        [ -n "${OBJVAULT_TEST_S3_ENDPOINT:-}" ]; then
        print_keys "$OBJVAULT_TEST_S3_ENDPOINT" \
            "${OBJVAULT_TEST_S3_ACCESS_KEY:?not set}" \
            "${OBJVAULT_TEST_S3_SECRET_KEY:?not set}"
        return 0
    fi
    minio=$(find_minio) || return $?
    mkdir -p "$dir/data" "$dir/certs"
    dir=$(cd "$dir" && pwd)
    if [ "$tls" = yes ]; then
        make_certs "$dir"
    fi
    # Port 0: the server takes a free one and says which.
    launch "$dir" "$minio" 127.0.0.1:0
}

# launch DIR MINIO ADDRESS: runs it, waits until it is ready, says how to reach
# it.
launch() {
    local dir=$1 minio=$2 url='' pid i
    (
        cd "$dir"
        exec env MINIO_ROOT_USER=objvaulttest \
            MINIO_ROOT_PASSWORD=objvaulttestsecret \
            MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CI_CD=1 HOME="$dir" \
            MINIO_REGION="$region" \
            setsid "$minio" server --address "$3" \
            --certs-dir "$dir/certs" "$dir/data" >"$dir/log" 2>&1 </dev/null \
            9>&-
    ) &
    pid=$!
    echo "$pid" >"$dir/pid"
    for ((i = 0; i < 300; i++)); do
        if ! kill -0 "$pid" 2>/dev/null; then
            tail -n 5 "$dir/log" >&2
            say "MinIO ended at once"
            return 1
        fi
        [ -n "$url" ] ||
            url=$(grep -oE "https?://127\.0\.0\.1:[0-9]+" "$dir/log" 2>/dev/null |
                head -n 1 || true)
        if [ -n "$url" ] && ready "$url" "$dir"; then
            echo "$url" >"$dir/url"
            print_env "$dir" "$url"
            return
        fi
        sleep 0.1
    done
    say "MinIO did not become ready in 30 seconds; see $dir/log"
    stop "$dir"
    return 1
}

again() {
    local dir minio url
    dir=$(cd "$1" && pwd)
    url=$(cat "$dir/url")
    minio=$(find_minio) || return $?
    launch "$dir" "$minio" "${url##*/}"
}

# ready URL DIR: whether the server answers its health check.
ready() {
    python3 - "$1/minio/health/ready" "$2/ca.crt" <<'PY'
import os, ssl, sys, urllib.request
url, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca) if os.path.exists(ca) else None
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=context))
try:
    opener.open(url, timeout=5)
except OSError:
    sys.exit(1)
PY
}

stop() {
    local pid i
    [ -f "$1/pid" ] || return 0
    pid=$(cat "$1/pid")
    rm -f "$1/pid"
    kill "$pid" 2>/dev/null || return 0
    for ((i = 0; i < 100; i++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

crash() {
    kill -9 "$(cat "$1/pid")"
    rm -f "$1/pid"
}

build=yes
tls=no
region=''
session=no
args=()
while [ $# -gt 0 ]; do
    case $1 in
    --no-build) build=no ;;
    --tls) tls=yes ;;
    --region) region=${2:?server.sh: say which region} && shift ;;
    --session) session=yes ;;
    *) args+=("$1") ;;
    esac
    shift
done
set -- "${args[@]}"
case ${1:-} in
find) find_minio ;;
start) start "${2:?server.sh start: say which folder}" ;;
stop) stop "${2:?server.sh stop: say which folder}" ;;
kill) crash "${2:?server.sh kill: say which folder}" ;;
again) again "${2:?server.sh again: say which folder}" ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
    ;;
esac
