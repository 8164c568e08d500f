#!/usr/bin/env bash
# Includes follow the arrows of DESIGN.md: cli → engine → {manifest, objstore,
# kms} → base, and within engine calendar → retention and schedule; repo, source
# and retention → backup, restore and care; all of them and inventory → job →
# run → daemon; backup → history → run.
#
#   layers.sh [TREE]     checks TREE (default: this one)
#   layers.sh --self     plants violations in a copy and expects to catch each
. "$(dirname "$0")/common.sh"

# folder, then everything that its files may include from.
rules='
base            base
manifest        base manifest
objstore        base objstore
kms             base kms
engine/repo     base manifest objstore kms engine/repo
engine/source   base engine/source
engine/inventory base manifest engine/source engine/inventory
engine/calendar base engine/calendar
engine/retention base manifest engine/calendar engine/retention
engine/schedule base engine/calendar engine/schedule
engine/care     base manifest objstore engine/repo engine/calendar engine/retention engine/care
engine/backup   base manifest engine/repo engine/source engine/calendar engine/retention engine/backup
engine/restore  base manifest engine/repo engine/source engine/restore
engine/job      base manifest kms engine/repo engine/source engine/inventory engine/calendar engine/retention engine/schedule engine/care engine/backup engine/restore engine/job
engine/history  base manifest objstore engine/repo engine/calendar engine/retention engine/backup engine/history
engine/run      base manifest objstore engine/repo engine/inventory engine/calendar engine/backup engine/schedule engine/job engine/history engine/run
engine/daemon   base engine
cli             base engine cli
minio-test      engine objstore minio-test
'

# check TREE: prints every violation; fails where there is one.
check() {
    local tree=$1 folder allowed status=0 file line target a ok
    while read -r folder allowed; do
        [ -n "$folder" ] && [ -d "$tree/$folder" ] || continue
        while IFS=: read -r file line target; do
            target=${target#*\"}
            target=${target%%\"*}
            ok=no
            for a in $allowed; do
                case $target in "$a"/*) ok=yes ;; esac
            done
            if [ $ok = no ]; then
                echo "$file:$line: $folder/ must not include $target"
                status=1
            fi
        done < <(cd "$tree" && grep -rnE --include='*.[ch]' \
            '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$folder" || true)
    done <<<"$rules"
    # A folder of C code without a rule would escape the check.
    while read -r folder; do
        case $folder in tests | tests/* | build*) continue ;; esac
        grep -qE "^$folder " <<<"$rules" || {
            echo "$folder/: has C code and no rule in tests/lint/layers.sh"
            status=1
        }
    done < <(cd "$tree" && find . -name .git -prune -o -path './build*' -prune \
        -o -name '*.[ch]' -printf '%h\n' | sed 's,^\./,,' | sort -u)
    return $status
}

# planted FILE INCLUDE: the check must name this line.
planted() {
    local dir said
    dir=$(mktemp -d)
    mkdir -p "$dir/$(dirname "$1")"
    echo "#include \"$2\"" >"$dir/$1"
    said=$(check "$dir") && finding "did not see $1 including $2"
    case $said in
    *"$2"* | *"no rule"*) ;;
    *) finding "$1 including $2: said '$said'" ;;
    esac
    rm -r "$dir"
}

if [ "${1:-}" = --self ]; then
    planted base/a.c manifest/id.h
    planted manifest/a.c objstore/store.h
    planted manifest/a.c kms/slot.h
    planted objstore/a.h manifest/id.h
    planted engine/repo/a.c engine/backup/backup.h
    planted engine/repo/a.c engine/source/image.h
    planted engine/source/a.c engine/repo/repo.h
    planted engine/source/a.c manifest/id.h
    planted engine/calendar/a.c engine/retention/gfs.h
    planted engine/inventory/a.c engine/repo/repo.h
    planted engine/source/a.c engine/inventory/inventory.h
    planted engine/retention/a.c engine/repo/points.h
    planted engine/schedule/a.c engine/retention/gfs.h
    planted engine/schedule/a.c manifest/id.h
    planted engine/retention/a.c engine/schedule/schedule.h
    planted engine/repo/a.c engine/retention/retention.h
    planted engine/job/a.c engine/history/history.h
    planted engine/history/a.c engine/job/job.h
    planted engine/run/a.c engine/daemon/daemon.h
    planted engine/backup/a.c objstore/store.h
    planted engine/backup/a.c engine/care/kept.h
    planted engine/restore/a.c engine/backup/backup.h
    planted engine/backup/a.c engine/job/config.h
    planted engine/job/a.c cli/cli.h
    planted cli/a.c objstore/store.h
    planted cli/a.c local.h
    planted other/a.c base/err.h
    finish
fi

while read -r said; do
    finding "$said"
done < <(check "${1:-$top}" || true)
finish
