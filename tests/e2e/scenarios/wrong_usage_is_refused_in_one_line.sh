# shellcheck shell=bash
# Unknown options and commands, missing and bad values: exit 2, one line that
# names what is wrong; nothing is touched.
# tags: quick
noise 300000 1 >disk.raw
make_repo --block-size 256K
backup disk.raw

refuses 2 backup run disk.raw --repo r --frobnicate
says --frobnicate
refuses 2 backup run --repo r
refuses 2 backup run disk.raw --repo r --compression enormous
says enormous
refuses 2 backup run disk.raw disk.raw --repo r --vm one-name
refuses 2 frobnicate
says frobnicate
refuses 2 backup frobnicate
says frobnicate
refuses 2 restore disk "$point" disk.raw --repo r
says --to
refuses 2 restore disk "$point" disk.raw --repo r --to x.img --format vhs
says vhs
refuses 2 repo create bad "gopher://x/y"
says gopher
refuses 2 repo create small "file://$PWD/small" --block-size 5K
says 5120
[ ! -e small ] || fail "a refused repository was made"
refuses 2 point show no-at-sign --repo r
refuses 2 repo create 'bad/name' "file://$PWD/small"

say "existing targets are not touched"
echo mine >mine.raw
refuses 2 restore disk "$point" disk.raw --repo r --to mine.raw
says mine.raw
equal "$(cat mine.raw)" mine "the existing file"
mkdir dir
echo mine >dir/disk.raw
refuses 2 restore vm "$point" --repo r --to dir
equal "$(cat dir/disk.raw)" mine "the existing file"
ov restore vm "$point" --repo r --to dir --force
same_disk disk.raw dir/disk.raw

say "what destroys asks; off a terminal it does nothing without --yes"
refuses 2 point delete "$point" --repo r
ov point show "$point" --repo r

say "things that are not there"
refuses 4 point show disk@2001-01-01T00:00:00Z --repo r
refuses 4 point show nobody@latest --repo r
refuses 4 restore disk "$point" other.raw --repo r --to x.raw
says disk.raw
refuses 4 point list --repo nowhere
says nowhere

say "a repository within another one"
refuses 2 repo create inner "$URL/inner" "${store[@]}"
say "or where there is one"
refuses 2 repo create again "$URL" "${store[@]}"
