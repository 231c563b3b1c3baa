#!/bin/sh
# An XP and a 7 are taken from their own controller to others, and it is proven.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget icat mmls fls

# file_of IMAGE PATH OUT: a file of the last volume, as sleuthkit finds it
file_of() {
	start=$(mmls "$1" | awk '/NTFS/ { s = $3 } END { print s + 0 }')
	inode=$(fls -rp -o "$start" "$1" | awk -F '\t' -v want="$2" \
		'tolower($2) == tolower(want) { print $1; exit }' |
		sed 's/^[^ ]* *\([0-9-]*\).*/\1/')
	icat -o "$start" "$1" "$inode" >"$3"
}
# start_of HIVE SERVICE: its Start, as hivex reads it
start_of() { hivexget "$1" "\\ControlSet001\\Services\\$2" Start; }
answer() { sed -n "s/^$1  *//p" out; }

ok "platforms are listed" hal-neutral platforms
for p in qemu-i440fx-ide q35-ahci virtio-blk virtio-scsi vmware-lsi vmware-sas \
	vmware-pvscsi hyperv-gen1 hyperv-gen2 vbox-ahci generic-ahci generic-nvme; do
	like "$(cat out)" "*$p *" "$p is among them"
done
exits 2 "an unknown platform is a usage error" hal-neutral verify x --platform pdp-11
says "*pdp-11*only: *q35-ahci*" "the error lists the platforms"

# ---- Windows 7: from an Intel RAID controller to IDE and AHCI
guest seven.img win7
both='--platform qemu-i440fx-ide --platform q35-ahci'
# shellcheck disable=SC2086
exits 8 "7 boots from neither IDE nor AHCI as it is" hal-neutral verify seven.img $both
is "$(answer qemu-i440fx-ide) $(answer q35-ahci)" "NO NO" "the matrix says so"
like "$(cat out)" "*service *msahci: Start is 3*" "the missing link is named"
before=$(sum_of seven.img)
# shellcheck disable=SC2086
ok "a plan is made" hal-neutral plan seven.img $both -o seven.plan
is "$(sum_of seven.img)" "$before" "planning changes nothing"
like "$(cat out)" "seven.plan: 6 changes*storage: *KB922976*; specified, not boot-tested)*" \
	"each rule's source and standing are told"
like "$(cat seven.plan)" "*msahci*old: ?dword, 0x00000003?*want: ?dword, 0x00000000?*rule: storage/V1*" \
	"the plan names value, old, new and rule"
ok "a dry run succeeds" hal-neutral apply -n seven.img seven.plan
is "$(sum_of seven.img)" "$before" "a dry run changes nothing"
ok "the plan is applied" hal-neutral apply seven.img seven.plan
# shellcheck disable=SC2086
ok "7 boots from both" hal-neutral verify seven.img $both
is "$(answer qemu-i440fx-ide) $(answer q35-ahci)" "YES YES" "the matrix says so too"
file_of seven.img Windows/System32/config/SYSTEM after.hive
is "$(start_of after.hive msahci) $(start_of after.hive intelide) $(start_of after.hive atapi)" \
	"0 0 0" "hivex reads the new values"
is "$(start_of after.hive iaStorV)" 0 "the old controller's driver still starts"
after=$(sum_of seven.img)
ok "a second apply succeeds" hal-neutral apply seven.img seven.plan
is "$(sum_of seven.img)" "$after" "and writes nothing"
# shellcheck disable=SC2086
ok "a second plan is made" hal-neutral plan seven.img $both
like "$(cat out)" "*entries: \[\]*" "and is empty"

# what a foreign reader exports differs by exactly the plan
guest again.img win7
file_of again.img Windows/System32/config/SYSTEM before.hive
# shellcheck disable=SC1003
for f in before after; do hivexregedit --export "$f.hive" '\\' >$f.reg 2>err; done
is "$(diff before.reg after.reg | grep -c '^>')" "$(grep -c '^- kind' seven.plan)" \
	"hivexregedit sees as many changes as the plan has"

# ---- each link broken: NO, and the link is named
# broken NAME LINK: break.plan, a plan of our own, breaks the image
broken() {
	cp --sparse=always seven.img broken.img
	rm -rf broken.img.undo
	ok "$1: the image is damaged" hal-neutral apply broken.img break.plan
	exits 8 "$1: the answer is NO" hal-neutral verify broken.img --platform q35-ahci
	like "$(cat out)" "q35-ahci *NO*NO *$2*" "$1: the link is named"
}
serial=$(sed -n 's/^- \(0x.*\)/\1/p' seven.plan)
head_of() {
	printf 'format: halcyon-plan\nversion: 1\nmade-by: test\nvolumes: [%s]\nentries:\n' "$serial"
}
# value KEY NAME OLD WANT
value() {
	head_of
	printf -- "- {kind: registry-value, hive: /Windows/System32/config/SYSTEM, key: '%s', name: %s, old: %s, want: %s, rule: t, why: t}\n" "$@"
}
# driver NAME WANT
driver() {
	file_of seven.img "Windows/System32/drivers/$1" old
	head_of
	printf -- "- {kind: file, path: /Windows/System32/drivers/%s, old: [sha256, %s, '%s'], want: %s, rule: t, why: t}\n" \
		"$1" "$(stat -c %s old)" "$(sha256sum old | cut -d ' ' -f 1)" "$2"
}
value 'ControlSet001\Services\msahci' Start '[dword, 0]' '[dword, 4]' >break.plan
broken "disabled" "service *msahci*Start is 4"
value 'ControlSet001\Services\msahci\StartOverride' 0 absent '[dword, 3]' >break.plan
broken "overridden" "service *msahci*StartOverride is 3"
value 'ControlSet001\Control\CriticalDeviceDatabase\PCI#CC_010601' Service '[sz, msahci]' '[sz, nosuch]' >break.plan
broken "bound elsewhere" "service *nosuch*no such service"
value 'ControlSet001\Control\CriticalDeviceDatabase\PCI#CC_010601' Service '[sz, msahci]' absent >break.plan
broken "bound to nothing" "binding *CC_010601*names no service"
value 'ControlSet001\Control\CriticalDeviceDatabase\Internal_IDE_Channel' Service '[sz, atapi]' '[sz, pciide]' >break.plan
broken "channel without driver" "service *pciide*Start is 3"
value 'ControlSet001\Services\msahci' ImagePath '[expand-sz, "\\SystemRoot\\System32\\DRIVERS\\msahci.sys"]' '[expand-sz, "system32\\gone.sys"]' >break.plan
broken "another file" "file *gone.sys*not there"
value 'ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}' LowerFilters absent '[multi-sz, vanished]' >break.plan
broken "dangling filter" "filter *LowerFilters vanished*no such service"
driver msahci.sys absent >break.plan
broken "file gone" "file *msahci.sys*not there"
driver msahci.sys "[bytes, '']" >break.plan
broken "file empty" "file *msahci.sys*empty"
driver msahci.sys "[text, MZ]" >break.plan
broken "file no driver" "file *msahci.sys*not a driver"
driver ataport.sys absent >break.plan
broken "import gone" "file *msahci.sys*ataport.sys*not there"
guest foreign.img xp
file_of foreign.img WINDOWS/system32/drivers/atapi.sys x86
driver msahci.sys "[image, /x86.sys, $(stat -c %s x86), '$(sha256sum x86 | cut -d ' ' -f 1)']" >break.plan
exits 6 "a source that is not there is refused" hal-neutral apply seven.img break.plan
says "*msahci.sys*/x86.sys*not there*" "the error names it"
is "$(sum_of seven.img)" "$after" "and nothing is written"

# ---- what a hypervisor left behind
{
	value 'ControlSet001\Services\prl_strg' Start absent '[dword, 0]'
	value 'ControlSet001\Services\prl_strg' Type absent '[dword, 1]' | tail -n 1
	value 'ControlSet001\Services\VMTools' Start absent '[dword, 2]' | tail -n 1
	value 'ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}' LowerFilters absent '[multi-sz, gone, prl_strg]' | tail -n 1
} >break.plan
guest tools.img win7
exits 0 "guest tools get into a guest" hal-neutral apply tools.img break.plan
ok "with them it is made neutral" hal-neutral apply tools.img --platform q35-ahci
file_of tools.img Windows/System32/config/SYSTEM after.hive
is "$(start_of after.hive prl_strg) $(start_of after.hive VMTools)" "4 4" "they are off"
like "$(hivexget after.hive '\ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}' LowerFilters 2>&1)" \
	"*not found*" "and out of the filters, as is the one that is gone"

# ---- XP: from Intel IDE to QEMU's, whose driver it has but never bound
guest xp.img xp
exits 8 "XP does not boot on QEMU's IDE as it is" hal-neutral verify xp.img --platform qemu-i440fx-ide
like "$(cat out)" "*processor *intelppm*binding *no driver*" "processor driver and binding are named"
ok "XP is made neutral" hal-neutral apply xp.img --platform qemu-i440fx-ide --platform hyperv-gen1 --platform generic-ide
like "$(cat out)" "*qemu-i440fx-ide *YES*hyperv-gen1 *YES*generic-ide *YES*" "and boots on three"
ok "the proof agrees" hal-neutral verify xp.img --platform qemu-i440fx-ide --platform hyperv-gen1 --platform generic-ide
file_of xp.img WINDOWS/system32/config/system after.hive
is "$(start_of after.hive atapi) $(start_of after.hive PCIIde) $(start_of after.hive intelppm) $(start_of after.hive agp440)" \
	"0 0 3 4" "hivex reads the new values"
is "$(hivexget after.hive '\ControlSet001\Control\CriticalDeviceDatabase\PCI#CC_0101' Service)" pciide \
	"hivex reads the new binding"
file_of xp.img WINDOWS/System32/drivers/pciide.sys pciide.sys
is "$(head -c 2 pciide.sys)" MZ "the driver came out of the image's own cabinet"
before=$(sum_of xp.img)
exits 8 "XP has no AHCI driver, so nothing is done" hal-neutral apply xp.img --platform q35-ahci
like "$(cat err)" "*still would not boot on q35-ahci*binding*nothing was written*" "the error names the link"
is "$(sum_of xp.img)" "$before" "the image is as it was"
exits 6 "a plan for another image is refused" hal-neutral apply xp.img seven.plan
says "*made for another image*" "the error says so"
value 'ControlSet001\Services\msahci' Start '[dword, 0]' '[dword, 2]' >break.plan
ok "the image changes after the plan" hal-neutral apply seven.img break.plan
before=$(sum_of seven.img)
exits 6 "the plan of before is refused" hal-neutral apply seven.img seven.plan
says "*msahci: Start: is not as it was when the plan was made*" "the error names what differs"
is "$(sum_of seven.img)" "$before" "nothing is written"

# ---- what must not be touched
for odd in hibernated dirty-volume; do
	guest odd.img win7 --$odd
	before=$(sum_of odd.img)
	exits 6 "$odd: apply is refused" hal-neutral apply odd.img --platform q35-ahci
	says "*odd.img: *" "$odd: the error names it"
	is "$(sum_of odd.img)" "$before" "$odd: nothing is written"
done
guest odd.img win7 --dirty-hive
ok "a dirty hive with its logs is replayed" hal-neutral apply odd.img --platform q35-ahci
exits 4 "no disk is an error" hal-neutral inspect "$TOP/Makefile" --format raw

exits 8 "verify prints JSON" hal-neutral verify seven.img --platform q35-ahci --json
mv out doc
ok "which says what the matrix says" python3 -c 'import json; d = json.load(open("doc")); assert d["platforms"][0]["boots"] is False'
ok "inspect prints JSON" hal-neutral inspect seven.img --json
mv out doc
ok "with all platforms" python3 -c 'import json; d = json.load(open("doc")); assert len(d["platforms"]) >= 12'
done_testing
