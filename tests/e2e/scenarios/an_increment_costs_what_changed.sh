# shellcheck shell=bash
# k changed blocks make k block PUTs, the pages they touch and one manifest; an
# unchanged run makes one manifest and no block.
# tags: quick
puts() {
    field '.vms[0].requests.put'
}
lease=0
! on_s3 || lease=2 # its put, and its end
block=$((256 << 10))
mkdir vm
# 1,024 blocks make a page: three pages, the last of them partly used.
truncate -s $((2100 * block)) vm/big.raw
for b in 0 1 2 500 1023 1024 1500 2099; do
    poke vm/big.raw $((b * block)) $block $((b + 1))
done
noise $((3 * block)) 7777 >vm/small.raw
make_repo --block-size 256K
backup vm
equal "$(field '.vms[0].kind')" full "kind of the first run"
equal "$(field '.vms[0].new_blocks')" 11 "blocks of the full run"
equal "$(puts)" $((11 + 4 + 1 + lease)) "PUTs of the full run (blocks, pages, manifest)"

backup vm
equal "$(field '.vms[0].kind')" incremental "kind of the second run"
equal "$(field '.vms[0].new_blocks')" 0 "blocks of an unchanged run"
equal "$(puts)" $((1 + lease)) "PUTs of an unchanged run"

say "three blocks in two pages of one disk"
poke vm/big.raw $((1 * block + 100)) 10 100
poke vm/big.raw $((2 * block)) 10 101
poke vm/big.raw $((1500 * block)) 10 102
backup vm
equal "$(field '.vms[0].new_blocks')" 3 "blocks"
equal "$(puts)" $((3 + 2 + 1 + lease)) "PUTs"

say "one block that was zero, one that becomes zero"
poke vm/big.raw $((700 * block)) 1 103
blank vm/big.raw $((2099 * block)) $block
backup vm
equal "$(field '.vms[0].new_blocks')" 1 "blocks"
equal "$(puts)" $((1 + 1 + 1 + lease)) "PUTs (the last page is all zero now)"

say "a full run stores whole what was an overlay, and nothing else"
backup vm --full
equal "$(field '.vms[0].kind')" full "kind"
equal "$(field '.vms[0].new_blocks')" 3 "blocks"
backup vm --full
equal "$(field '.vms[0].new_blocks')" 0 "blocks of the next one"
restored "$point" back vm
