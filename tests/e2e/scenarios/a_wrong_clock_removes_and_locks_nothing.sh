# shellcheck shell=bash
# Where the clocks of this machine and of the server differ by more than
# --max-clock-skew (10 minutes) nothing is removed and nothing locked; the message
# says what both say.  The server's clock is moved in the answers, on the line.
# tags: s3 quick
case $OBJVAULT_TEST_S3_ENDPOINT in
https:*) skip "the certificate is not the proxy's" ;;
esac
bucket=${URL#s3://}
URL=s3://${bucket%%/*}-clock/$(basename "$URL")-$$
echo pass >mode
python3 "$E2E/proxy.py" "${OBJVAULT_TEST_S3_ENDPOINT#http://}" mode >port &
proxy=$!
trap 'kill "$proxy"' EXIT
while [ ! -s port ]; do sleep 0.05; done
store=(--endpoint "http://127.0.0.1:$(cat port)")

mkdir vm
noise 500000 1 >vm/disk.raw
make_repo --block-size 256K --create-bucket --immutable 5h --generation 1h
backup vm
noise 500000 2 >vm/disk.raw
objects locks >.before

for ahead in 660 -660 31536000 -31536000; do
    say "a clock that is off by $ahead s"
    echo "date $ahead" >mode
    refuses 1 repo gc r --yes
    equal "$(field .error.code)" precondition "error code"
    says "more than the 600 s allowed"
    says "it says $(date -u -d "$ahead seconds" +%Y-%m-%dT)"
    says "this machine's says $(date -u +%Y-%m-%dT)"
    says "set the clock that is wrong"
    refuses 1 backup run vm --repo r
    says "more than the 600 s allowed"
    refuses 1 point delete "$point" --repo r --yes
    objects locks >.after
    same .before .after
done
say "a machine that allows more is stopped no sooner"
echo "date 660" >mode
other_machine
ov repo attach r "$URL" "${store[@]}" --max-clock-skew 12m
ov repo gc r --yes
say "the clocks agree again"
echo pass >mode
backup vm
restored "$point" back vm
