# shellcheck shell=bash
# `daemon --systemd` prints units that systemd takes, also where folders have
# names with spaces and what it would replace; they start the same program.
# tags: quick file
command -v systemd-analyze >/dev/null || skip "no systemd-analyze here"

folder=$PWD/'a folder %h $HOME'
mkdir "$folder"
ov --json daemon --systemd --home "$folder" --state "$folder/state"
one_document
equal "$(field '.units | length')" 3 "units"
mkdir units
for ((i = 0; i < 3; i++)); do
    field ".units[$i].text" >"units/$(field ".units[$i].name")"
done
systemd-analyze verify --man=no units/*.service units/*.timer >found 2>&1 ||
    fail "$(cat found)"
grep -F "$OBJVAULT" units/objvault.service | grep -qF 'daemon --until-idle' ||
    fail "it starts something else"
# What systemd makes of the folder's name is the name.
grep -qF '%%h $$HOME' units/objvault.service || fail "a name is replaced"
ov daemon --systemd
for unit in objvault.service objvault.timer objvault-daemon.service; do
    grep -qF "/$unit" "$out" || fail "$unit is not printed"
done
