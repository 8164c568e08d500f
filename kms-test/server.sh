#!/usr/bin/env bash
# A KMIP server for tests: PyKMIP, from Debian's package python3-pykmip.
#
#   server.sh find
#       Says nothing where the server is installed.
#   server.sh start DIR PKI [--tls 1.2|1.3] [--cert NAME] [--database FILE]
#       Starts a server on a free port of the loopback address and waits until
#       it answers; its files lie in DIR (made), DIR/port holds the port.  PKI
#       is a folder of pki.sh; NAME is the certificate (default: server).  FILE
#       is copied: a server that has the same keys.
#   server.sh stop DIR
#       Ends it and its children, at once, as a crash would.
#   server.sh again DIR
#       Starts it once more, on the port and with the keys that it had.
#   server.sh freeze DIR
#   server.sh thaw DIR
#       Frozen, it takes connections and says nothing.
#
# Exit: 0; 1 failed; 77 there is no PyKMIP here (the reason is on stderr).
set -euo pipefail
top=$(cd "$(dirname "$0")" && pwd)
program=/usr/bin/pykmip-server

say() {
    echo "kms-test: $*" >&2
}

find_server() {
    # Debian's package serves Debian's Python alone.
    [ -x "$program" ] && /usr/bin/python3 -c 'import kmip' 2>/dev/null || {
        say "no PyKMIP here (Debian's package python3-pykmip)"
        return 77
    }
}

free_port() {
    /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

configure() { # configure DIR PKI CERT PORT
    # Keys lie in the database in clear: it stays in DIR.
    mkdir -p "$1/policy"
    cat >"$1/server.conf" <<CONF
[server]
hostname=127.0.0.1
port=$4
certificate_path=$2/$3.crt
key_path=$2/$3.key
ca_path=$2/ca.crt
auth_suite=TLS1.2
policy_path=$1/policy
enable_tls_client_auth=True
logging_level=INFO
database_path=$1/pykmip.db
CONF
    echo "$4" >"$1/port"
}

answers() { # answers PORT
    /usr/bin/python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()' \
        "$1" 2>/dev/null
}

launch() { # launch DIR: in a process group of its own, for its children
    local dir=$1 run=("$program") i
    [ ! -f "$dir/tls13" ] || run=(/usr/bin/python3 -B "$top/pykmip.py")
    setsid "${run[@]}" -f "$dir/server.conf" -l "$dir/log" \
        >"$dir/said" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    for ((i = 0; i < 300; i++)); do
        if [ -z "$(jobs -r)" ]; then
            tail -n 5 "$dir/said" >&2
            return 1
        fi
        ! answers "$(cat "$dir/port")" || return 0
        sleep 0.1
    done
    say "PyKMIP did not become ready in 30 seconds; see $dir/log"
    stop "$dir"
    return 1
}

start() {
    local dir=$1 pki=$2 cert=server database='' i
    shift 2
    find_server || return $?
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    while [ $# -gt 0 ]; do
        case $1 in
        --tls)
            [ "$2" != 1.3 ] || : >"$dir/tls13"
            ;;
        --cert) cert=$2 ;;
        --database) database=$2 ;;
        *)
            say "unknown option $1"
            return 2
            ;;
        esac
        shift 2
    done
    [ -z "$database" ] || cp "$database" "$dir/pykmip.db"
    # Another program may take the port meanwhile.
    for ((i = 0; i < 5; i++)); do
        configure "$dir" "$(cd "$pki" && pwd)" "$cert" "$(free_port)"
        ! launch "$dir" || return 0
    done
    return 1
}

stop() {
    local pid
    [ -f "$1/pid" ] || return 0
    pid=$(cat "$1/pid")
    rm -f "$1/pid"
    kill -KILL -- "-$pid" 2>/dev/null || true
}

case ${1:-} in
find) find_server ;;
start)
    shift
    start "${1:?server.sh start: say which folder}" \
        "${2:?server.sh start: say where the certificates are}" "${@:3}"
    ;;
stop) stop "${2:?server.sh stop: say which folder}" ;;
again) launch "${2:?server.sh again: say which folder}" ;;
freeze) kill -STOP -- "-$(cat "${2:?server.sh freeze: say which folder}/pid")" ;;
thaw) kill -CONT -- "-$(cat "${2:?server.sh thaw: say which folder}/pid")" ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
    ;;
esac
