# shellcheck shell=bash
# Collection frees what no point needs, and nothing else: after it the repository
# holds the live set. A run that is under way is named, and can be waited for.
# tags: quick
mkdir vm slow
noise 3000000 1 >vm/disk.raw
noise 2500000 3 >slow/disk.raw
make_repo --block-size 256K

live() { # what a repository of these points holds, but for gc/
    objects ls | grep -v '^gc/'
}

say "nothing to free"
backup vm
one=$point
live >live-one
ovj repo gc r --yes
equal "$(field '.deleted.objects')" 0 "deleted objects"
live | diff live-one - || fail "a collection changed a repository without garbage"

say "all that the first point needed is garbage once it is deleted"
noise 3000000 2 >vm/disk.raw
backup vm --full
two=$point
live | comm -13 live-one - >live-two
ov point delete "$one" --repo r --yes
refuses 2 repo gc r
says --yes
ovj repo gc r --dry-run
equal "$(field '.garbage.objects')" 13 "garbage" # 12 blocks, a page
equal "$(field '.deleted.objects')" 0 "objects that a dry run deleted"
ovj repo gc r --yes
equal "$(field '.deleted.objects')" 13 "deleted objects"
equal "$(field '.points')" 1 "points"
live | diff - <(sort live-two <(echo objvault.json)) || fail "not the live set"
restored "$two" back-two vm
refuses 4 point show "$one" --repo r
ovj repo gc r --yes
equal "$(field '.deleted.objects')" 0 "objects that are deleted twice"

say "what was collected is stored again where it comes again"
noise 3000000 1 >vm/disk.raw
backup vm
restored "$point" back-three vm
other_machine
attach_repo r
backup vm --full
equal "$(field '.vms[0].new_blocks')" 0 "blocks that are there already"
ov point verify "$point" --repo r

say "a run that is under way is in the way"
ov point delete "$two" --repo r --yes
"$OBJVAULT" backup run slow --repo r --limit-upload 400K >slow.out 2>&1 </dev/null &
slow=$!
sleep 1.5
live >live-before
try --json repo gc r --yes
equal "$rc" 3 "exit code with a run in the way"
one_document
[ "$(field '.in_the_way.who')" != null ] || fail "nobody is named"
equal "$(field '.deleted.objects + .removed_points')" 0 "deleted objects"
warns "in the way"
kill -0 $slow || fail "the run ended too early for this test"
if on_s3; then
    ovj repo leases r
    equal "$(field '[.leases[].kind] | join(",")')" run "leases"
    id=$(field '.leases[0].id')
    objects get "gc/leases/$id" >lease
    ! grep -q slow lease || fail "the lease names the VM"
    ovj repo leases r --break "$id" --dry-run
    refuses 2 repo leases r --break "$id"
    refuses 4 repo leases r --break 0000000000000000 --yes
fi
ovj repo gc r --yes --wait 60s
equal "$(field '.deleted.objects')" 13 "deleted objects after waiting"
wait $slow || fail "the run failed: $(cat slow.out)"
restored slow@latest back-slow slow
ov repo check r --level full
