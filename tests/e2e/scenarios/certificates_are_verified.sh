# shellcheck shell=bash
# Over TLS: the server's certificate is checked against the given CA; without
# it, or with another one, exit 5 and nothing is sent.
# tags: s3
case $OBJVAULT_TEST_S3_ENDPOINT in
https:*) ;;
*) skip "the server speaks plain HTTP; played over TLS by minio-test/run.sh" ;;
esac
noise 300000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw
restored_disk "$point" disk.raw back.raw disk.raw

say "an unknown certificate"
other_machine
refuses 5 repo attach r "$URL" --endpoint "$OBJVAULT_TEST_S3_ENDPOINT"

say "another CA"
openssl ecparam -name prime256v1 -genkey -noout -out other.key
openssl req -x509 -new -key other.key -days 2 -out other.crt \
    -subj "/CN=another CA" 2>/dev/null
refuses 5 repo attach r "$URL" --endpoint "$OBJVAULT_TEST_S3_ENDPOINT" \
    --ca other.crt

say "plain HTTP to the TLS port"
try repo attach r "$URL" --endpoint "http://${OBJVAULT_TEST_S3_ENDPOINT#https://}"
[ "$rc" -ne 0 ] || fail "plain HTTP worked on a TLS port"
equal "$(grep -c . "$err")" 1 "lines on stderr"
