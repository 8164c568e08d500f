# shellcheck shell=bash
# Create, back up, verify and restore with keys from each source, and failures
# of each, with every request logged: no secret key, token or signature appears
# in any output, log, state or configuration.
# tags: s3
mkdir fake shown
word() { # word SEED: 24 hex digits
    noise 12 "$1" | od -An -v -tx1 | tr -d ' \n'
}
authorization=authorization-$(word 71)
metadata=metadata-$(word 72)
identity=identity-$(word 73)
wrong=wrong-$(word 74)
printf '%s\n' "$authorization" >fake/authorization
printf '%s\n' "$metadata" >fake/metadata
printf '%s\n' "$identity" >fake/identity
python3 "$E2E/keys.py" fake 2>fake/log &
giver=$!
trap 'kill "$giver" 2>/dev/null || true' EXIT
for ((i = 0; i < 200; i++)); do
    [ ! -e fake/port ] || break
    if ! kill -0 "$giver" 2>/dev/null; then
        rc=0
        wait "$giver" || rc=$?
        [ "$rc" -ne 77 ] || skip "the server gives out no temporary keys"
        fail "keys.py ended with $rc: $(cat fake/log)"
    fi
    sleep 0.05
done
base=http://127.0.0.1:$(cat fake/port)
{
    read -r id
    read -r secret
    read -r token
} <fake/keys
root_id=$AWS_ACCESS_KEY_ID root_secret=$AWS_SECRET_ACCESS_KEY
if [ -n "${OBJVAULT_TEST_S3_CA:-}" ]; then
    export AWS_CA_BUNDLE=$OBJVAULT_TEST_S3_CA # for the server's STS
fi

# What must not be seen: the beginning and the end of each secret, for messages
# are cut, also as they look in URLs.
for s in "$root_secret" "$secret" "$token" "$authorization" "$metadata" \
    "$identity" "$wrong"; do
    for part in "${s:0:14}" "${s: -14}"; do
        printf '%s\n' "$part"
        jq -rn --arg s "$part" '$s | @uri'
    done
done | sort -u >secrets
at_least "$(grep -c . secrets)" 14 "things to look for"

# leaks: files that hold a secret, or a signature.
leaks() {
    grep -rlaF -f secrets shown .state .config 2>/dev/null || true
    grep -rlaE 'AWS4-HMAC-SHA256|Credential=|Signature=|X-Amz-Security-Token' \
        shown .state .config 2>/dev/null || true
}

# shown ARG...: runs objvault with all that it can log, and keeps what it says.
runs=0
shown() {
    runs=$((runs + 1))
    rc=0
    "$OBJVAULT" --verbose --verbose --verbose "$@" >"shown/$runs.out" \
        2>"shown/$runs.err" </dev/null || rc=$?
    cp "shown/$runs.err" "$err"
    no_sanitizer_report
}
good() {
    shown "$@"
    [ "$rc" -eq 0 ] || fail "objvault $* : exit $rc"
}
bad() { # bad EXIT ARG...
    local want=$1
    shift
    shown "$@"
    equal "$rc" "$want" "exit of objvault $*"
    shown --json "$@"
    equal "$rc" "$want" "exit of objvault --json $*"
}

no_keys() {
    unset "${!AWS_@}"
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
    export AWS_EC2_METADATA_DISABLED=true
    if [ -n "${OBJVAULT_TEST_S3_CA:-}" ]; then
        export AWS_CA_BUNDLE=$OBJVAULT_TEST_S3_CA
    fi
}

noise 600000 1 >disk.raw
good repo create r "$URL" "${store[@]}" --block-size 256K
# whole NAME: all that one does with a repository.
whole() {
    say "keys from $1"
    poke disk.raw 300000 4000 "$runs"
    good --json backup run disk.raw --repo r
    point=$(jq -r '.vms[0].point' "shown/$runs.out")
    good point verify "$point" --repo r
    good restore disk "$point" disk.raw --repo r --to "back-$1.raw"
    # The keys of that source were at work.
    grep -q "keys from $2, region" "$err" ||
        fail "$1: nothing tells of keys from $2"
    same disk.raw "back-$1.raw"
    good --json repo show r
}

whole environment "the environment"
no_keys
export AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret
export AWS_SESSION_TOKEN=$token
whole session "the environment"

no_keys
mkdir -p .config/credentials
jq -n --arg i "$id" --arg d "$PWD" '{access_key_id: $i,
    secret_access_key: {file: ($d + "/secret")},
    session_token: {command: ["cat", ($d + "/token")]}}' \
    >.config/credentials/mine.json
(umask 077 && printf '%s\n' "$secret" >secret && printf '%s\n' "$token" >token)
good repo attach f "$URL" "${store[@]}" --credentials mine
good point list --repo f

cat >process <<'EOF'
#!/bin/sh
echo "looking for keys" >&2
cat "$1"
EOF
chmod 700 process
jq -n --arg i "$id" --arg s "$secret" --arg t "$token" '{Version: 1,
    AccessKeyId: $i, SecretAccessKey: $s, SessionToken: $t,
    Expiration: "2900-01-01T00:00:00Z"}' >process.json
export AWS_CONFIG_FILE=$PWD/aws
printf '[default]\ncredential_process = "%s/process" %s/process.json\n' \
    "$PWD" "$PWD" >aws
whole process "the AWS profile default"

printf '[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
    "$root_id" "$root_secret" >aws
export AWS_ENDPOINT_URL_STS=$OBJVAULT_TEST_S3_ENDPOINT
whole role "the AWS profile default"

no_keys
export AWS_CONTAINER_CREDENTIALS_FULL_URI=$base/container
export AWS_CONTAINER_AUTHORIZATION_TOKEN=$authorization
whole container "the container's endpoint at 127.0.0.1"
say "the container's endpoint refuses, and repeats what it was sent"
touch fake/refuse
bad 5 point list --repo r
rm fake/refuse

no_keys
export AWS_EC2_METADATA_DISABLED=false
export AWS_EC2_METADATA_SERVICE_ENDPOINT=$base
whole metadata "instance metadata, role test-role"
touch fake/refuse
bad 5 point list --repo r
rm fake/refuse

no_keys
export AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/fake/identity AWS_ROLE_ARN=arn:web
export AWS_ENDPOINT_URL_STS=$base
whole identity "a web identity for arn:web"
touch fake/refuse
bad 5 point list --repo r
rm fake/refuse

say "failures: wrong secret, unknown token, expired keys, a program that fails"
no_keys
export AWS_ACCESS_KEY_ID=$root_id AWS_SECRET_ACCESS_KEY=$wrong
bad 5 backup run disk.raw --repo r
export AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret
export AWS_SESSION_TOKEN=${token%?????}$wrong
bad 5 backup run disk.raw --repo r
no_keys
export AWS_CONFIG_FILE=$PWD/aws
printf '[default]\ncredential_process = "%s/process" %s/process.json\n' \
    "$PWD" "$PWD" >aws
sed -i 's/2900-/2020-/' process.json
bad 5 point list --repo r
printf '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": %s}' \
    "[\"$wrong\"]" >process.json
bad 5 point list --repo r
printf '%s' "$wrong" >process.json
bad 5 point list --repo r
printf '#!/bin/sh\ncat "$1"\nexit 4\n' >process
bad 5 point list --repo r
grep -q 'exit status 4' "$err" || fail "the program's status is not told"

say "failures: nobody listens"
export AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret
export AWS_SESSION_TOKEN=$token
runs=$((runs + 1))
timeout -s INT 2 "$OBJVAULT" --verbose --verbose repo attach away \
    s3://some-bucket/x --endpoint http://127.0.0.1:9 >"shown/$runs.out" \
    2>"shown/$runs.err" </dev/null && fail "it worked"
grep -q 127.0.0.1:9 "shown/$runs.err" || fail "the endpoint is not named"

say "nothing of it is to be seen in what $runs runs left"
at_least "$(cat shown/*.err | grep -c 'debug s3: ')" 100 "logged requests"
[ -n "$(find .state -type f)" ] || fail "there is no state to look at"
found=$(leaks)
[ -z "$found" ] || fail "secrets in: $found"

say "the search does find what is there"
state=$(find .state -type f | head -n 1)
for s in "$root_secret" "$secret" "$token" "$authorization" "$metadata" \
    "$identity" "$wrong" "AWS4-HMAC-SHA256 Credential=x"; do
    for file in shown/1.out "shown/$runs.err" "$state" .config/repos/r.json; do
        cp -p "$file" kept
        printf 'x %.40s y' "$s" >>"$file"
        [[ $(leaks) == *"$file"* ]] || fail "a secret in $file was not found"
        cp -p kept "$file"
    done
done
[ -z "$(leaks)" ] || fail "the planted secrets were not taken away"
