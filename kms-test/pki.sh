#!/usr/bin/env bash
# Makes certificates for tests with key servers, good ones and bad ones.
#
#   pki.sh DIR
#
# DIR (made) gets NAME.crt and NAME.key, all with P-256 keys where the name does
# not say otherwise:
#
#   ca, other-ca      two authorities that do not know each other
#   server            for localhost, 127.0.0.1 and ::1
#   server-ip         for the address 127.0.0.1 only
#   server-name       for the name localhost only
#   server-wrong      for another host
#   server-expired    has expired
#   server-other      made by other-ca
#   server-rsa        has an RSA key
#   client, client2   two clients, with a common name each
#   client-other      made by other-ca
#   client-expired    has expired
#   client-no-eku     does not say what it is for
#   client-server-eku says that it is for servers
#   client-no-cn      has no common name
#   client-soon       expires in ten days
set -euo pipefail
dir=${1:?pki.sh: say which folder}
mkdir -p "$dir"
cd "$dir"
umask 077

# Expired certificates begin and end in the past: openssl ca can say when.
authority() { # authority NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout "$1.key" -out "$1.crt" -days 60 -subj "/CN=objvault test $1" \
        2>/dev/null
    mkdir -p "$1.new"
    : >"$1.index"
    cat >"$1.cnf" <<CNF
[ca]
default_ca = here
[here]
database = $1.index
new_certs_dir = $1.new
certificate = $1.crt
private_key = $1.key
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
CNF
}

# issue CA NAME SUBJECT EXTENSIONS [OPTION...]
issue() {
    local ca=$1 name=$2 subject=$3 extensions=$4
    shift 4
    [ $# -gt 0 ] || set -- -days 60
    [ -f "$name.key" ] || openssl ecparam -name prime256v1 -genkey -noout \
        -out "$name.key"
    openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
    {
        echo 'basicConstraints=critical,CA:FALSE'
        echo 'keyUsage=critical,digitalSignature,keyEncipherment'
        printf '%b' "$extensions"
    } >"$name.ext"
    openssl ca -batch -notext -config "$ca.cnf" -in "$name.csr" \
        -out "$name.crt" -extfile "$name.ext" "$@" 2>"$name.log" || {
        cat "$name.log" >&2
        return 1
    }
    rm -f "$name.csr" "$name.ext" "$name.log"
}

past=(-startdate 20200101000000Z -enddate 20200201000000Z)
serve='extendedKeyUsage=serverAuth\n'
use='extendedKeyUsage=clientAuth\n'
here="${serve}subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n"

authority ca
authority other-ca
issue ca server /CN=server "$here"
issue ca server-ip /CN=server "${serve}subjectAltName=IP:127.0.0.1\n"
issue ca server-name /CN=server "${serve}subjectAltName=DNS:localhost\n"
issue ca server-wrong /CN=server \
    "${serve}subjectAltName=DNS:elsewhere.test,IP:127.0.0.9\n"
issue ca server-expired /CN=server "$here" "${past[@]}"
issue other-ca server-other /CN=server "$here"
openssl genrsa -out server-rsa.key 2048 2>/dev/null
issue ca server-rsa /CN=server "$here"
issue ca client /CN=objvault "$use"
issue ca client2 /CN=stranger "$use"
issue other-ca client-other /CN=objvault "$use"
issue ca client-expired /CN=objvault "$use" "${past[@]}"
issue ca client-no-eku /CN=objvault ''
issue ca client-server-eku /CN=objvault "$serve"
issue ca client-no-cn /O=objvault "$use"
issue ca client-soon /CN=objvault "$use" -days 10
rm -rf ./*.cnf ./*.index* ./*.new
