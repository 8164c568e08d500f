# shellcheck shell=bash
# All-zero disks, sparse ones with islands of 4 KiB, incompressible ones:
# equal, and no larger on disk than the source was.
# tags: quick
mkdir vm
truncate -s 64M vm/hole.raw
head -c 16M /dev/zero >vm/written-zeros.raw
noise 16000000 1 >vm/noise.raw
truncate -s 200M vm/islands.raw
for i in 0 1 7 300 301 4095 4096 20000 51199; do
    poke vm/islands.raw $((i * 4096)) 4096 $((i + 1))
done

make_repo
backup vm
say "four blocks of noise, five with islands, none of zeros"
equal "$(objects ls plain/blocks/ | wc -l)" 9 "block objects"
restored "$point" back vm
for f in hole written-zeros; do
    equal "$(allocated back/$f.raw)" 0 "bytes that the restored $f.raw takes"
done
