# shellcheck shell=bash
# Corrupt configuration: exit 2, naming the file and what is wrong with it;
# `config check` finds the same.
# tags: quick
make_repo --block-size 256K
ov config check
file=$OBJVAULT_HOME/repos/r.json
cp "$file" good

say "comments are allowed"
{ echo '// edited by hand' && cat good; } >"$file"
ov point list --repo r

say "no JSON"
echo '{"url": ' >"$file"
refuses 2 point list --repo r
says r.json
try config check
equal "$rc" 2 "exit code of config check"

say "an unknown field, with the nearest known one"
sed 's/"url"/"ulr"/' good >"$file"
refuses 2 point list --repo r
says ulr
says url

say "a mistyped one"
jq '.url = 7' good >"$file"
refuses 2 point list --repo r
says url

say "a bad name beside it"
cp good "$file"
ov config check
ovj config check
ov config schema repo
jq -e . "$out" >/dev/null || fail "the schema is no JSON"
refuses 2 config schema frobnication

say "a home that cannot be read as one"
refuses 4 point list --home "$PWD/none" --repo r
