# shellcheck shell=bash
# Refusals, resets, lost answers and flipped bits at random: backup, increment,
# verification and restore go through, and what is stored is stored once.
# tags: file quick
own_s3
tell bucket shop
noise $((24 * 262144)) 1 >disk.raw
ov repo create r s3://shop/vms --endpoint "$endpoint" --block-size 256K

tell rule op=PutObject chance=60 act=reply status=503 code=SlowDown
tell rule op=PutObject chance=60 act=lose-answer
tell rule op=PutObject chance=40 act=flip-request at=1000
tell rule chance=30 act=reset-head
tell rule op=GetObject chance=60 act=flip-answer at=5000
tell rule op=GetObject chance=60 act=cut-answer at=5000
tell rule chance=30 act=reply-after status=500 code=InternalError
backup disk.raw
poke disk.raw 1000000 300000 2
cp disk.raw before.raw
backup disk.raw
ov point verify "$point" --repo r
restored_disk "$point" disk.raw back.raw before.raw

say "nothing is doubled: a run in fine weather finds all of it"
tell clear
backup disk.raw --full # stores whole what was an overlay
backup disk.raw --full
equal "$(field '.vms[0].new_blocks')" 0 "new blocks of a run over the same disk"

say "a server that knows the key no more"
tell keys NEWKEY newsecret
refuses 5 point verify "$point" --repo r
