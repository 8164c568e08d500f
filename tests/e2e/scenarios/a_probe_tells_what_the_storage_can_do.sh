# shellcheck shell=bash
# `repo probe` tries the storage, says what it means, keeps the result in the
# configuration, and removes what it put.
# tags: quick
result() { # result NAME: of the last probe
    field ".capabilities[] | select(.name == \"$1\") | .result"
}
# What is left of a probe that was killed does not make the place taken.
objects put gc/probe-0123456789abcdef/fresh </dev/null
make_repo
config=$OBJVAULT_HOME/repos/r.json
equal "$(jq -r .probe.conditional_put "$config")" yes "found by repo create"

ovj repo probe r
equal "$(field '.capabilities | length')" 25 "capabilities"
equal "$(field '[.capabilities[] | select(.warning)] | length')" 0 "warnings"
equal "$(field .kept)" true "kept"
equal "$(field .left_over)" 0 "left over"
for c in conditional_put read_after_write list_after_write list_order \
    list_pages ranges delete delete_absent multi_delete server_time; do
    equal "$(result $c)" yes "$c"
done

equal "$(objects ls gc/)" gc/probe-0123456789abcdef/fresh "what is below gc/"
equal "$(jq -r .probe.time "$config")" "$(field .time)" "time in the file"
if on_s3; then
    for c in signed_payload unsigned_payload crc32c content_md5 \
        checksum_sha256 old_signatures_refused; do
        equal "$(result $c)" yes "$c"
    done
else
    equal "$(result signed_payload)" 'not applicable' signed_payload
    equal "$(result old_signatures_refused)" 'not applicable' old_signatures
fi
say "what is kept may be deleted, and is checked"
ov config check
jq 'del(.probe)' "$config" >without
cp without "$config"
ov config check
ov repo show r
jq '.probe = {"time":"2026-11-22T10:00:00Z","conditional_put":"perhaps"}' \
    without >"$config"
refuses 2 config check
says conditional_put
jq '.probe = {"time":"2026-11-22T10:00:00Z","conditional_puts":"yes"}' \
    without >"$config"
refuses 2 repo show r
says conditional_put

say "a file with comments stays as it is"
{
    echo "// mine"
    cat without
} >"$config"
cp "$config" commented
ov repo probe r
grep -q '^conditional PUT .* yes ' "$out" || fail "no table: $(cat "$out")"
warns 'comments'
same commented "$config"
