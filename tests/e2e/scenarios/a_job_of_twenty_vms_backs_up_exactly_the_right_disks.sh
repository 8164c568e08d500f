# shellcheck shell=bash
# A job over nested containers, with VMs and disks left out: exactly the right
# disks are stored. One VM with an image that cannot be read fails alone (exit 3),
# a retry touches it alone, and after mending succeeds.
# tags: job

# vm PATH [DISK...]: a VM with these disks (disk.raw), each with noise of its own.
seed=0
vm() {
    local path=src/$1 disk
    shift
    mkdir -p "$path"
    echo "cpus=2" >"$path/vm.conf"
    for disk in "${@:-disk.raw}"; do
        seed=$((seed + 1))
        noise 400000 $seed >"$path/$disk"
    done
}

# back NAME PATH [DISK...]: the point of NAME holds these files of the VM, and
# nothing else.
back() {
    local name=$1 path=src/$2 file
    shift 2
    ov restore vm "$name@latest" --repo r --to "back/$name"
    equal "$(find "back/$name" -type f -printf '%f\n' | sort | paste -sd ' ')" \
        "$(printf '%s\n' "${@:-disk.raw}" vm.conf | sort | paste -sd ' ')" \
        "files of $name"
    for file in "${@:-disk.raw}" vm.conf; do
        same "$path/$file" "back/$name/$file"
    done
}

for n in 1 2 3 4 5 6 7; do vm prod/web/w$n; done
vm prod/web/w8 a.raw b.raw c.raw
for n in 1 2 3 4 5; do vm prod/db/d$n system.raw swap.raw; done
vm prod/p1
vm prod/p2
vm dev/a/b/x1 one.raw two.raw
vm dev/a/b/x2
vm dev/a/b/x3
vm dev/y1
vm dev/y2
for n in 1 2 3 4; do vm test/t$n; done
noise 300000 99 >src/solo.raw
echo "no image" >src/prod/p2/disk.qcow2

make_repo --block-size 256K
ov source add lab "dir:$PWD/src"
mkdir -p "$OBJVAULT_HOME/jobs"
cat >"$OBJVAULT_HOME/jobs/night.json" <<'J'
{
    "containers": ["lab:prod", "lab:dev/a", "lab:dev"],
    "vms": ["lab:t1", "lab:w3", "lab:solo"], // w3 lies in prod as well
    "exclude_vms": ["y2", "lab:d5"],
    "exclude_disks": ["d*:swap.raw", "x1:two.raw"],
    "disks": ["w8=first"],
    "repo": "r",
    "parallel": 4
}
J
cat >"$OBJVAULT_HOME/jobs/alone.json" <<'J'
{ "vms": ["lab:p2"], "repo": "r" }
J

say "one VM's image cannot be read"
try --json job run night --progress-json 3 3>progress
equal "$rc" 3 "exit code"
one_document
equal "$(tail -n 1 progress | jq -r '"\(.final) \(.vms_expected)"')" "true 20" \
    "the last line of progress"
equal "$(jq -s '[.[].vms[] | select(.running | not) | .name] | unique | length' \
    progress)" 20 "VMs whose end was told"
equal "$(field '"\(.ok) \(.status) \(.tries) \(.vms | length)"')" \
    "true warning 1 20" "ok, status, tries and VMs"
equal "$(field '[.vms[] | select(.status != "success") | .vm] | join(" ")')" p2 \
    "who failed"
field '.vms[] | select(.vm == "p2") | .messages[0]' | grep -q disk.qcow2 ||
    fail "the message does not name the image"
run=$(field .run)

say "exactly those VMs have a point, and of them the right disks"
ovj point list --repo r
equal "$(field '[.points[].vm] | sort | join(" ")')" \
    "d1 d2 d3 d4 p1 solo t1 w1 w2 w3 w4 w5 w6 w7 w8 x1 x2 x3 y1" "VMs"
equal "$(field '[.points[].job] | unique | join(" ")')" night "the points' job"
for n in 1 2 3 4 5 6 7; do back w$n prod/web/w$n; done
back w8 prod/web/w8 a.raw
for n in 1 2 3 4; do back d$n prod/db/d$n system.raw; done
back p1 prod/p1
back x1 dev/a/b/x1 one.raw
back x2 dev/a/b/x2
back x3 dev/a/b/x3
back y1 dev/y1
back t1 test/t1
restored_disk solo@latest solo.raw back/solo.raw src/solo.raw

say "where no VM gets a point the run has failed"
try --json job run alone
equal "$rc" 1 "exit code"
one_document
equal "$(field '"\(.ok) \(.status) \(.vms | length)"')" "false failed 1" \
    "ok, status and VMs"

say "a retry touches what failed, and nothing else"
ovj point list --repo r
before=$(field '[.points[].point] | sort | join(" ")')
try --json job run night --retry
equal "$rc" 3 "exit code of a retry in vain"
ovj point list --repo r
equal "$(field '[.points[].point] | sort | join(" ")')" "$before" "points"
rm src/prod/p2/disk.qcow2
ovj job run night --retry
equal "$(field '"\(.run) \(.status) \(.tries)"')" "$run success 3" \
    "run, status and tries"
equal "$(field '[.vms[] | select(.tried == 3) | .vm] | join(" ")')" p2 \
    "who was processed"
back p2 prod/p2
ovj point list --repo r
equal "$(field '.points | length')" 20 "points"
refuses 4 job run night --retry
says "nothing failed"

say "what is new in a container is in the next run, and what did not change is kept"
vm dev/a/b/x4
poke src/prod/p1/disk.raw 1000 100 500
rm -r back/p1
ovj job run night
equal "$(field '"\(.status) \(.vms | length)"')" "success 21" "status and VMs"
equal "$(field '[.vms[] | select(.kind == "full") | .vm] | join(" ")')" x4 "fulls"
equal "$(field '[.vms[] | select(.new_blocks > 0) | .vm] | sort | join(" ")')" \
    "p1 x4" "what has new blocks"
back p1 prod/p1
back x4 dev/a/b/x4
