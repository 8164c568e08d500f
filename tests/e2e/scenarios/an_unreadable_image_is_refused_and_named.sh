# shellcheck shell=bash
# shellcheck disable=SC2034 # lib.sh uses what is set here
# An image that the user may not read: exit 5, its name in the one line, no
# point.  Root may read everything, so root plays this as another user.
# tags: quick
dir=$PWD
if [ "$(id -u)" -eq 0 ]; then
    command -v setpriv >/dev/null || skip "needs setpriv, or not to be root"
    # The scenario's own folder lies where only root gets to.
    dir=$(mktemp -d "${TMPDIR:-/tmp}/objvault-nobody.XXXXXX")
    trap 'rm -rf "$dir"' EXIT
    cp "$OBJVAULT" "$dir/program"
    mkdir "$dir/home" "$dir/vm"
    if [ -n "${OBJVAULT_TEST_S3_CA:-}" ]; then
        cp "$OBJVAULT_TEST_S3_CA" "$dir/ca.crt"
        store=(--endpoint "$OBJVAULT_TEST_S3_ENDPOINT" --ca "$dir/ca.crt")
    fi
    chmod -R a+rX "$dir"
    chown -R 65534:65534 "$dir"
    cat >"$PWD/as-nobody" <<SH
#!/bin/sh
cd "$dir" || exit 99
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/program" "\$@"
SH
    chmod 755 "$PWD/as-nobody"
    OBJVAULT=$PWD/as-nobody
    "$OBJVAULT" --version >/dev/null 2>&1 ||
        skip "another user cannot run programs in $(dirname "$dir")"
    export HOME=$dir OBJVAULT_HOME=$dir/home/config OBJVAULT_STATE=$dir/home/state
    on_s3 || URL=file://$dir/repository
else
    mkdir vm
fi
make_repo --block-size 256K
noise 1000 1 >"$dir/secret.raw"
noise 1000 1 >"$dir/vm/disk.raw"
noise 1000 2 >"$dir/vm/notes"
chmod 644 "$dir/vm"/*
chmod 000 "$dir/secret.raw"
refuses 5 backup run "$dir/secret.raw" --repo r
says secret.raw

say "one file of a VM, a disk or another one"
for f in disk.raw notes; do
    chmod 000 "$dir/vm/$f"
    refuses 5 backup run "$dir/vm" --repo r
    says "$f"
    chmod 644 "$dir/vm/$f"
done
ovj point list --repo r
equal "$(field '.points | length')" 0 "points"

say "once it may be read"
chmod 644 "$dir/secret.raw"
backup "$dir/secret.raw"
ov point verify "$point" --repo r
