# shellcheck shell=bash
# Peak resident memory with default settings, of a first run, an unchanged run,
# a restore to a sparse file and a verification of a disk of 1 TiB, in the clear
# and sealed by a password: at most 200 MB, mapped files included.  Its data lies in 2,048 blocks all over the
# disk, as 8 GiB would.  Here most of these blocks hold 64 KiB, since what is
# not data costs neither time nor less memory: every block has its buffer, its
# hash and its entry.  So that buffers are filled to their ends, 48 blocks are
# full of data.  All of them are with E2E_MEMORY=full (8 GiB; minutes).
# tags: memory file
# not-tsan: its memory is not the program's
! under_sanitizer || skip "the sanitizer's memory is not the program's"
limit=$((200000000 / 1024))
mkdir vm
truncate -s 1T vm/disk.raw || skip "no file of 1 TiB can be made here"
python3 - vm/disk.raw "${E2E_MEMORY:-}" <<'PY'
import random, sys
rng = random.Random(1)
block = 4 << 20
full = 48 if sys.argv[2] != "full" else 2048
with open(sys.argv[1], "r+b") as f:
    for i in range(2048):
        f.seek((i * 128 + rng.randrange(128)) * block)
        if i % (2048 // full) == 0:
            half = rng.randbytes(block // 2)
            f.write(half + bytes(b & 0x0f for b in half[:1 << 20]) * 2)
        else:
            f.write(rng.randbytes(65536))
PY

# peak WHAT ARG...: runs objvault; its peak memory is below the limit.
peak() {
    local what=$1 kib
    shift
    rc=0
    python3 "$E2E/peak.py" .peak "$OBJVAULT" "$@" >"$out" 2>"$err" \
        </dev/null || rc=$?
    equal "$rc" 0 "exit code of the $what"
    kib=$(cat .peak)
    say "$what: $kib KiB"
    at_most "$kib" "$limit" "KiB of peak resident memory of the $what"
}

# rounds HOW KEYSET [OPTION...]: all four, in a keyset of such a name; the options
# are those of the runs.
rounds() {
    local how=$1 keyset=$2
    shift 2
    peak "$how first run" --json backup run vm --repo r "$@"
    equal "$(field '.vms[0] | .new_blocks + .reused_blocks')" 2048 "blocks"
    [[ $(field '.vms[0].keyset') =~ ^$keyset$ ]] || fail "in the wrong keyset"
    peak "$how unchanged run" --json backup run vm --repo r "$@"
    equal "$(field '.vms[0].new_blocks')" 0 "new blocks"
    point=$(field '.vms[0].point')
    peak "$how verification" point verify "$point" --repo r "${key[@]}"
    peak "$how restore" restore disk "$point" disk.raw --repo r --to back.raw \
        "${key[@]}"
    holes_kept vm/disk.raw back.raw
    rm back.raw
}

make_repo
key=()
rounds plain plain
echo 'correct horse' >password
key=(--password-file password)
rounds sealed 'k-[0-9a-f]{16}' --encrypt password "${key[@]}"
