# shellcheck shell=bash
# Collection frees what no point needs, and nothing else: after it the repository
# holds the live set. A run that is under way is named, and can be waited for.
# tags: quick
# not-tsan: it takes minutes there, and its threads are those of shorter ones
mkdir vm slow
noise 3000000 1 >vm/disk.raw
noise 2500000 3 >slow/disk.raw
make_repo --block-size 256K

say "nothing to free"
backup vm
one=$point
objects ls >before
ovj repo gc r --yes
equal "$(field '.deleted.objects')" 0 "deleted objects"
objects ls | grep -v ^gc/lock | diff <(grep -v ^gc/ before) - ||
    fail "a collection changed a repository without garbage"

say "all that the first point needed is garbage once it is deleted"
noise 3000000 2 >vm/disk.raw
backup vm --full
two=$point
ov point delete "$one" --repo r --yes
refuses 2 repo gc r
says --yes
ovj repo gc r --dry-run
equal "$(field '"\(.dry_run) \(.garbage.objects)"')" "true 13" \
    "a dry run" # 12 blocks, a page
equal "$(field '.deleted.objects')" 0 "objects that a dry run deleted"
ov repo gc r --dry-run
grep -q 'Not needed.*13 objects' "$out" || fail "the text does not say what goes"
! objects live | diff - <(objects ls | grep -v ^gc/) >/dev/null ||
    fail "a dry run has deleted something"
ov repo gc r --yes
grep -q 'Deleted.*13 objects' "$out" || fail "the text does not say what went"
holds_live_set
restored "$two" back-two vm
refuses 4 point show "$one" --repo r
ovj repo gc r --yes
equal "$(field '.deleted.objects')" 0 "objects that are deleted twice"

say "what was collected is stored again where it comes again"
noise 3000000 1 >vm/disk.raw
backup vm
restored "$point" back-three vm
home=$OBJVAULT_HOME here=$OBJVAULT_STATE
other_machine
attach_repo r
backup vm --full
equal "$(field '.vms[0].new_blocks')" 0 "blocks that are there already"
ov point verify "$point" --repo r

say "an index of before a collection on another machine is not believed"
ovj point list --repo r
for p in $(field '.points[].point'); do ov point delete "$p" --repo r --yes; done
ovj repo gc r --yes
at_least "$(field '.deleted.objects')" 26 "objects that were collected"
other_home=$OBJVAULT_HOME other_state=$OBJVAULT_STATE
export OBJVAULT_HOME=$home OBJVAULT_STATE=$here
backup vm
equal "$(field '.vms[0].new_blocks')" 12 "blocks that are put again"
restored "$point" back-four vm

say "a manifest that cannot be read stops it"
backup vm
f=$(objects ls plain/points/vm/ | tail -n 1)
objects get "$f" >good
objects put "$f" <<<rubbish
refuses 7 repo gc r --yes
says "$f"
says "repo recover"
objects put "$f" <good
ov repo gc r --yes

say "a run that is under way is in the way"
backup slow
noise 2500000 4 >slow/disk.raw
ovj point list --repo r --vm vm
ov point delete "$(field '.points[0].point')" --repo r --yes
noise 3000000 5 >vm/disk.raw
backup vm --full
ovj point list --repo r --vm vm
ov point delete "$(field '.points[0].point')" --repo r --yes
"$OBJVAULT" backup run slow --repo r --limit-upload 150K >slow.out 2>&1 </dev/null &
slow=$!
sleep 1.5
objects ls plain/points/ >points-before
try --json repo gc r --yes
equal "$rc" 3 "exit code with a run in the way"
one_document
who=$(field '.in_the_way.who')
equal "$(field '.deleted.objects + .removed_points + .tidied')" 0 \
    "deleted objects"
objects ls plain/points/ | diff points-before - || fail "manifests are gone"
warns "in the way"
kill -0 $slow || fail "the run ended too early for this test"
if on_s3; then
    [[ $who == *"run on host $(uname -n), process $slow,"* ]] ||
        fail "host and process are not named: $who"
    equal "$(field '.in_the_way.vm')" slow "the VM of the run"
    warns "of VM slow"
    ovj repo leases r
    equal "$(field '.leases[] | "\(.kind) \(.pid) \(.vm) \(.host)"')" \
        "run $slow slow $(uname -n)" "leases"
    id=$(field '.leases[0].id')
    ov repo leases r
    grep -q "^$id .*$slow.*slow" "$out" || fail "the table has no such lease"
    objects get "gc/leases/$id" >lease
    ! grep -q slow lease || fail "the lease names the VM"
    ovj repo leases r --break "$id" --dry-run
    equal "$(field .dry_run)" true "a dry run"
    refuses 2 repo leases r --break "$id"
    refuses 4 repo leases r --break 0000000000000000 --yes
fi
ovj repo gc r --yes --wait 5m
at_least "$(field '.deleted.objects')" 13 "deleted objects after waiting"
wait $slow || fail "the run failed: $(cat slow.out)"
restored slow@latest back-slow slow
ov repo check r --level full
holds_live_set

on_s3 || return 0
say "a killed run delays no run on its host, and those on others until it ends"
noise 2500000 6 >slow/disk.raw
timeout -s KILL 1.5 "$OBJVAULT" backup run slow --repo r --limit-upload 400K \
    >/dev/null 2>&1 </dev/null || true
ovj repo leases r
dead=$(field '.leases[0].id')
export OBJVAULT_HOME=$other_home OBJVAULT_STATE=$other_state
timeout 4 "$OBJVAULT" backup run slow --repo r >late.out 2>&1 </dev/null &&
    fail "another host did not wait"
grep -q "waiting for it" late.out || fail "it does not say so: $(cat late.out)"
export OBJVAULT_HOME=$home OBJVAULT_STATE=$here
# Told to stop, it has half a second to end its lease, and may miss that.
for key in $(objects ls gc/leases/); do
    [ "$key" = "gc/leases/$dead" ] || objects rm "$key"
done
began=$(date +%s)
backup slow
at_most $(($(date +%s) - began)) 30 "seconds that the next run on its host takes"
say "who collects waits for it, half an hour at most once it is broken"
try --json repo gc r --yes
equal "$rc" 3 "exit code while the lease of a killed run counts"
ovj repo leases r --break "$dead" --yes
left=$(($(date -d "$(field .lease.counts_until)" +%s) - $(date +%s)))
at_most $left 1800 "seconds that a broken lease counts"
at_least $left 1700 "seconds that a broken lease counts"
export OBJVAULT_HOME=$other_home OBJVAULT_STATE=$other_state
backup slow # the broken lease is over for it
export OBJVAULT_HOME=$home OBJVAULT_STATE=$here
try --json repo gc r --yes
equal "$rc" 3 "exit code while a broken lease counts"
objects rm "gc/leases/$dead"
ovj repo gc r --yes
holds_live_set
verify_all
