# shellcheck shell=bash
# `repo create|attach|list|show|stats|remove`: remove forgets a repository here
# and leaves the bucket as it is.
# tags: quick
noise 900000 1 >disk.raw
make_repo --block-size 1M
backup disk.raw
ov repo list
grep -q "$URL" "$out" || fail "the list does not show the URL"
ovj repo list
equal "$(field '[.repos[].name] | join(" ")')" r "repositories"
ovj repo show r
ov repo show r
ovj repo stats r
ov repo stats r
objects ls | LC_ALL=C sort >before
say "the only repository need not be named"
ov point list
attach_repo second
refuses 2 point list
says r
says second
ov repo remove second
ov repo remove r
refuses 4 repo show r
objects ls | LC_ALL=C sort >after
same before after
attach_repo r
ov point verify "$point"
