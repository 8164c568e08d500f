# shellcheck shell=bash
# Several VMs in one command: one that fails does not stop the others; exit 3,
# "ok" is true and the status says warning.  All failing: exit not 0 and not 3.
# tags: quick
noise 600000 1 >good.raw
noise 600000 2 >also-good.raw
mkdir bad
make_repo --block-size 256K
try --json backup run good.raw bad also-good.raw --repo r
equal "$rc" 3 "exit code"
one_document
equal "$(field .ok)" true "ok"
equal "$(field .status)" warning "status"
equal "$(field '[.vms[].status] | sort | join(" ")')" "failed success success" \
    "status of the VMs"
at_least "$(field '[.vms[] | select(.status == "failed").messages[]] | length')" \
    1 "messages of the failed VM"
ovj point list --repo r
equal "$(field '[.points[].vm] | sort | join(" ")')" "also-good good" "points"

try --json backup run bad --repo r
[ "$rc" -ne 0 ] && [ "$rc" -ne 3 ] || fail "exit $rc where no VM has its point"
one_document
