# shellcheck shell=bash
# keyset rotate is killed at random moments (a quarter of E2E_KILLS, default
# 100): the keyset opens all the time, the next rotation goes on, and in the end
# there is one active key in the server, which is the one that the slot names.
# tags: kill
kills=$((${E2E_KILLS:-100} / 4 + 1))
RANDOM=${E2E_SEED:-$$}
say "seed ${E2E_SEED:-$$}"
own_kms main
noise 700000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw --encrypt kms:main
old=$point
objects stamps >before

took=$(date +%s%N)
ov keyset rotate --repo r --yes
took=$((($(date +%s%N) - took) / 1000000))
say "a rotation takes $took ms"
left=$kills
while [ "$left" -gt 0 ]; do
    if killed_within "$took" --json keyset rotate --repo r --yes; then
        left=$((left - 1))
    else
        equal "$rc" 0 "exit code of a rotation that was not killed"
    fi
    # Now and then the next one is killed, too.
    [ $((RANDOM % 3)) -gt 0 ] || continue
    ov keyset show --repo r
    ovj keyset rotate --repo r --yes
    equal "$(field '.slots[0].key')" "$(kms_keys main active)" "the one active key"
    equal "$(objects ls | grep -c /slots/)" 1 "slots that are stored"
done
ovj keyset rotate --repo r --yes
equal "$(field '.slots[0].key')" "$(kms_keys main active)" "the one active key"
diff <(grep -v /slots/ before) <(objects stamps | grep -v /slots/) ||
    fail "data was touched"
restored_disk "$old" disk.raw back.raw disk.raw

say "a new data key, the same"
left=$kills
while [ "$left" -gt 0 ]; do
    if killed_within "$took" --json keyset rotate --new-data-key --repo r --yes; then
        left=$((left - 1))
    else
        equal "$rc" 0 "exit code of a rotation that was not killed"
    fi
    [ $((RANDOM % 3)) -gt 0 ] || continue
    ovj keyset rotate --new-data-key --repo r --yes
    ovj keyset list --repo r
    equal "$(field '[.keysets[].slots[].key | tonumber] | sort | map(tostring) |
        join(" ")')" "$(kms_keys main active)" "keys that slots name"
done
backup disk.raw --encrypt kms:main
equal "$(field '.vms[0].kind')" full "kind in the newest keyset"
restored_disk "$point" disk.raw new.raw disk.raw
restored_disk "$old" disk.raw back2.raw disk.raw
diff <(grep -v /slots/ before) <(objects stamps | grep -v /slots/ |
    grep -F -f <(cut -d' ' -f1 before | grep -v /slots/)) || fail "data was touched"
