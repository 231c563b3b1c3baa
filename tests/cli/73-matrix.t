#!/bin/sh
# Where each fixture boots: as it is, made neutral, and with drivers given.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

all=$(hal-neutral platforms | sed 's/ .*//; s/^/--platform /' | tr '\n' ' ')
# What each kind can reach with its own drivers, and with those of the folder.
reach() {
	case $1 in
	xp) echo generic-ide hyperv-gen1 qemu-i440fx-ide vbox-ide vmware-lsi xen-hvm ;;
	win10) echo generic-ahci generic-nvme hyperv-gen2 q35-ahci vbox-ahci vmware-nvme vmware-sas ;;
	*) echo generic-ahci generic-ide hyperv-gen1 q35-ahci qemu-i440fx-ide vbox-ahci vbox-ide vmware-lsi vmware-sas xen-hvm ;;
	esac
}
with() {
	reach "$1"
	case $1 in
	xp) echo generic-ahci q35-ahci vbox-ahci vmware-sas ;;
	esac
	[ "$1" = win10 ] || echo generic-nvme vmware-nvme
	echo virtio-blk virtio-blk-modern virtio-scsi virtio-scsi-modern vmware-pvscsi
}
options() { tr ' ' '\n' | sed '/^$/d; s/^/--platform /' | tr '\n' ' '; }
# A folder with one driver for what no Windows has: FILE ARCH
drivers() {
	mkdir -p "d/$2"
	imgtool files cat g.img "$1" >"d/$2/given.sys"
	: >"d/$2/given.cat"
	sed "s/ARCH/$2/" >"d/$2/given.inf" <<'E'
[Version]
Signature="$Windows NT$"
Class=SCSIAdapter
ClassGuid={4D36E97B-E325-11CE-BFC1-08002BE10318}
Provider=%P%
DriverVer=01/02/2015,1.2.3.4
CatalogFile=given.cat
[Manufacturer]
%P%=Given,NTARCH
[Given.NTARCH]
"VirtIO block"=Given_Inst,PCI\VEN_1AF4&DEV_1001
"VirtIO block"=Given_Inst,PCI\VEN_1AF4&DEV_1042
"VirtIO SCSI"=Given_Inst,PCI\VEN_1AF4&DEV_1004
"VirtIO SCSI"=Given_Inst,PCI\VEN_1AF4&DEV_1048
"PVSCSI"=Given_Inst,PCI\VEN_15AD&DEV_07C0
"SAS"=Given_Inst,PCI\VEN_1000&DEV_0054
"AHCI"=Given_Inst,PCI\CC_010601
"NVMe"=Given_Inst,PCI\CC_010802
[Given_Inst]
CopyFiles=Given_Copy
[Given_Copy]
given.sys
[Given_Inst.Services]
AddService=given,2,Given_Service
[Given_Service]
ServiceType=1
StartType=0
ErrorControl=1
ServiceBinary=%12%\given.sys
LoadOrderGroup=SCSI miniport
[DestinationDirs]
DefaultDestDir=12
[SourceDisksNames]
1="disk"
[SourceDisksFiles]
given.sys=1
[Strings]
P="Given"
E
}
# answers KIND PHASE: a line for each platform
answers() {
	# shellcheck disable=SC2086
	hal-neutral verify g.img $all --json >doc 2>err
	python3 - "$1" "$2" doc <<'E' >>matrix
import json, sys
for p in json.load(open(sys.argv[3]))["platforms"]:
	bad = [l for l in p["chain"] if not l["holds"]]
	text = "YES"
	if bad:
		text = "NO(%s)" % "; ".join("%s %s: %s" % (
			l["kind"], l["what"].split(" ... ")[0], l["why"]) for l in bad)
	assert p["boots"] == (not bad)
	print(sys.argv[1], sys.argv[2], p["platform"], text)
E
}
: >matrix
for kind in xp vista win7 win10; do
	guest g.img $kind
	rm -rf g.img.*
	case $kind in
	xp) drivers /WINDOWS/system32/drivers/atapi.sys x86 ;;
	win7) drivers /Windows/System32/drivers/atapi.sys amd64 ;;
	esac
	ok "$kind: its own PC is a platform" hal-neutral platforms --from g.img
	mv out own.yaml
	exits 0 "$kind: on which it boots as it is" \
		hal-neutral verify g.img --platform ./own.yaml
	answers $kind before
	before=$(sum_of g.img)
	# shellcheck disable=SC2046
	ok "$kind: every platform within reach is reached" \
		hal-neutral apply g.img $(reach $kind | options)
	answers $kind after
	ok "$kind: and all of it is taken back" hal-neutral revert g.img
	is "$(sum_of g.img)" "$before" "$kind: the same image"
	# shellcheck disable=SC2046
	ok "$kind: so are those that need the given drivers" \
		hal-neutral apply g.img $(with $kind | options) --drivers d
	answers $kind drivers
	ok "$kind: and that is taken back" hal-neutral revert g.img
	is "$(sum_of g.img)" "$before" "$kind: the same image again"
done
for odd in hibernated dirty-volume; do
	guest g.img win7 --$odd
	hal-neutral verify g.img --platform generic-ahci >out 2>err
	echo "win7 $odd generic-ahci REFUSED($(sed 's/.*: Windows is \(hibernated\);.*/\1/; s/.*the volume was \(not closed cleanly\);.*/\1/' err))" >>matrix
done
# an APIC HAL on a machine whose firmware describes none
guest g.img xp
hal-neutral apply g.img --platform generic-ide >out 2>err
sed 's/^name:.*/name: no-apic/; s/^devices:/madt: false\ndevices:/' \
	"$TOP/hal-neutral/platforms/generic-ide.yaml" >no-apic.yaml
exits 8 "an APIC HAL needs an APIC" hal-neutral verify g.img --platform ./no-apic.yaml
like "$(cat out)" "no-apic *NO*hal *no APIC*" "the link is named"
# Behind each line stands the row of the research that it was held against.
sed '/^#/d; s/  # .*//' "$TOP/tests/golden/hal-neutral-matrix.txt" >want
is "$(diff want matrix)" "" "the matrix is the reviewed one"
is "$(grep -v '^#' "$TOP/tests/golden/hal-neutral-matrix.txt" | grep -vc '  # [13XVW]')" 0 "each line cites its row"
[ -z "${GOLDEN-}" ] || cp matrix "$GOLDEN"
done_testing
