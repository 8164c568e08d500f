# shellcheck shell=bash
# `source add|list|show|remove`, `vm list|find`: what a folder of VMs has, nested
# as it may be, and the domains of a libvirt host (libvirt's own test driver).
# tags: quick file
# not-tsan: its commands have one thread
mkdir -p vms/prod/Web1 vms/prod/db/pg vms/bad/old vms/empty
truncate -s 1M vms/prod/Web1/{vda,vdb}.raw vms/prod/db/pg/a.raw vms/Lone.raw \
    vms/bad/x.raw vms/bad/old/y.raw
echo '<domain/>' >vms/prod/Web1/vm.xml
ln -s ../vms vms/loop

say "a folder of VMs"
ov source add lab dir:vms
warns 'loop: is a symbolic link'
ovj source show lab
equal "$(field .source.place)" "dir:$PWD/vms" "place"
equal "$(field '[.source.containers[] | "\(.name)=\(.vms)"] | join(" ")')" \
    "empty=0 prod=2 prod/db=1" "containers"
equal "$(field '[.source.notes[].warning] | join(" ")')" false "notes"
ovj vm list lab
equal "$(field '[.vms[].id] | join(" ")')" "Lone.raw bad prod/Web1 prod/db/pg" "VMs"
equal "$(field '[.vms[2].disks[].name] + .vms[2].files | join(" ")')" \
    "vda.raw vdb.raw vm.xml" "disks and files"
[[ $(field '.vms[1].problem') == *"image in a subfolder"* ]] ||
    fail "no reason why bad cannot be backed up"
lone=$(field '.vms[0].disks[0].path')
ov vm list lab
grep -q '^Web1 ' "$out" || fail "the list has no Web1"

say "what vm list has is what backup run takes"
make_repo
backup "$lone"
refuses 2 backup run vms/bad --repo r
says "image in a subfolder"

say "a VM that is added is there, one that is gone is not"
mkdir vms/prod/new
truncate -s 1M vms/prod/new/x.raw
rm -r vms/prod/db
ovj vm list lab
equal "$(field '[.vms[].id] | join(" ")')" "Lone.raw bad prod/Web1 prod/new" "VMs"

say "domains"
cat >node.xml <<END
<node><domain type='test' xmlns:t='http://libvirt.org/schemas/domain/test/1.0'>
<t:runstate>5</t:runstate><name>web2</name><memory>65536</memory>
<metadata><o:tags xmlns:o='urn:o'><o:tag>Gold</o:tag></o:tags></metadata>
<os><type>hvm</type></os><devices><disk type='file'><source file='$PWD/vms/Lone.raw'/>
<target dev='vda'/></disk></devices></domain>
<domain type='test'><name>busy</name><memory>65536</memory>
<os><type>hvm</type></os></domain></node>
END
ov source add host "libvirt:test://$PWD/node.xml"
ovj vm list host
equal "$(field '[.vms[] | "\(.vm) \(.live)"] | sort | join(", ")')" \
    "busy true, web2 false" "domains"
[[ $(field '.vms[] | select(.live) | .problem') == *"is running"* ]] ||
    fail "no reason why busy cannot be backed up"

say "found by a part of name, folder and tag, in any case"
ovj vm find WEB
equal "$(field '[.vms[] | "\(.source)/\(.vm)"] | sort | join(" ")')" \
    "host/web2 lab/Web1" "by name"
ovj vm find PROD
equal "$(field '[.vms[].vm] | join(" ")')" "Web1 new" "by folder"
equal "$(field '[.containers[] | "\(.source) \(.kind) \(.name)"] | join(",")')" \
    "lab folder prod" "containers"
ovj vm find gold
equal "$(field '[.vms[].vm] | join(" ")')" web2 "by tag"
ovj vm find web --source lab
equal "$(field '[.vms[].vm] | join(" ")')" Web1 "in one source"
ovj vm find nothing
equal "$(field '.vms + .containers | length')" 0 "what is not there"

say "a source that cannot be looked at is a warning beside others"
rm node.xml
try --json vm find web
equal "$rc" 3 "exit code"
one_document
equal "$(field '[.vms[].vm] | join(" ")')" Web1 "what the others have"
warns 'source host: '
try vm list host
equal "$rc" 8 "exit code of a host that does not answer"

say "what is no place is refused"
refuses 2 source add lab dir:vms
says "configured already"
refuses 2 source add x /vms
says "dir:/path"
refuses 4 source add x dir:gone
refuses 2 source add x libvirt:qemu+ssh://h/system
says "another host"
refuses 4 vm list gone
says "there is host, lab"
ovj source list
equal "$(field '[.sources[].name] | join(" ")')" "host lab" "sources"
ov source remove host
echo '{ "plaice": "dir:/x" }' >"$OBJVAULT_HOME/sources/typo.json"
try --json source list
equal "$rc" 3 "exit code of a list with a wrong file"
[[ $(field '.sources[1].problem') == *place* ]] || fail "the problem is not told"
refuses 2 vm list typo
says plaice
