# shellcheck shell=bash
# Nobody listens: exit 8 within a bounded time, naming the endpoint.
# tags: slow
export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-none}
export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-none}
started=$SECONDS
try repo attach away s3://some-bucket/x --endpoint http://127.0.0.1:9
equal "$rc" 8 "exit code"
equal "$(grep -c . "$err")" 1 "lines on stderr"
grep -q 127.0.0.1:9 "$err" || fail "the endpoint is not named"
at_most $((SECONDS - started)) 90 "seconds until it gave up"
[ ! -e "$OBJVAULT_HOME/repos/away.json" ] || fail "what cannot be reached was saved"
try --json repo attach away s3://some-bucket/x --endpoint http://host.invalid
equal "$rc" 8 "exit code for a host name that does not exist"
one_document
equal "$(field .error.exit)" 8 "error.exit"
