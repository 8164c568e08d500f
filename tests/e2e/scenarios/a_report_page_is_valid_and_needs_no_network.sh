# shellcheck shell=bash
# A job's runs as text and as a page: valid HTML that fetches nothing, whatever
# VMs are called; told once by mail; and put back where the history was lost.
# tags: file
command -v tidy >/dev/null || skip "tidy is not installed"
hostile="<img src=x onerror='alert(1)'>&\"<script>x"
mkdir -p vms/web "vms/$hostile" vms/bad
noise 600000 1 >vms/web/disk.raw
noise 300000 2 >"vms/$hostile/disk.raw"
noise 300000 3 >vms/bad/disk.qcow2
ov repo create r "$URL" --block-size 256K
ov source add lab "dir:$PWD/vms"
mkdir -p "$OBJVAULT_HOME/jobs"
cat >"$OBJVAULT_HOME/jobs/nightly.json" <<END
{"containers": ["lab:"], "repo": "r", "retention": "14d", "timezone": "Europe/Berlin",
 "notify": {"on": "warning", "mail": ["sh", "-c", "cat >>'$PWD/mails'"],
            "mail_to": "ops@example.org"}}
END

page() { # checks page.html; its text is in page.txt
    python3 "$E2E/page.py" page.html >page.txt || fail "the page is not what it may be"
    tidy -quiet -errors page.html 2>tidy.txt || fail "$(cat tidy.txt)"
    [ ! -s tidy.txt ] || fail "$(cat tidy.txt)"
}

for day in 20 21 22; do
    poke vms/web/disk.raw 300000 1000 "$day"
    OBJVAULT_NOW=2026-11-${day}T21:00:00Z try --json job run nightly
    [ "$rc" -eq 3 ] || fail "the run is exit $rc"
done
equal "$(field '.vms | length')" 3 "VMs of the run"
equal "$(grep -c '^Subject: ' mails)" 3 "mails of three runs"
grep -q '^Subject: \[objvault\] nightly: warning, 1 of 3 VMs failed$' mails ||
    fail "the mail's subject does not say what became of the run"

ov job history nightly --count 2
equal "$(grep -c nightly "$out")" 2 "runs that are shown"
ovj job history
equal "$(field '[.runs[].run] | join(",")')" 3,2,1 "runs, newest first"

ov job report nightly
grep -q '^2 of 3 VMs have a point' "$out" || fail "the report does not count points"
ov job report nightly --html page.html --points
page
grep -qF "$hostile" page.txt || fail "the page does not show the VM's name"
for word in 'Began 2026-11-22 22:00:0' 'The last 3 runs' 'Chains and locks' \
    '1 full, 2 incremental, visible until 2026-12-06'; do
    grep -qF "$word" page.txt || fail "the page does not say: $word"
done
ov job report nightly --run 1 --html -
cp "$out" page.html
page
grep -qF 'Began 2026-11-20 22:00:0' page.txt || fail "--run 1 shows another run"
refuses 4 job report nightly --run 9
try job report nightly --points
equal "$rc" 2 "exit code of points that nothing shows"

say "the history is lost"
rm "$OBJVAULT_STATE"/history.db*
ovj job history
equal "$(field '.put_back')" 3 "runs that are put back"
equal "$(field '[.runs[] | [.rebuilt, (.vms | length)]] | flatten | join(",")')" \
    true,2,true,2,true,2 "what manifests tell of the runs"
ovj job history --rebuild
equal "$(field '.put_back')" 0 "runs that are put back once more"
