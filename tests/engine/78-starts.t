#!/bin/sh
# A neutral guest starts from every controller, as far as its boot sector can show.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-system-x86_64

# from NAME MACHINE OPTION...: "NAME" if the boot sector says so, through the BIOS
from() {
	name=$1 machine=$2; shift 2
	rm -f debug
	timeout 60 qemu-system-x86_64 -machine "$machine",accel=tcg -m 64 -nodefaults \
		-display none -no-reboot -debugcon file:debug -global isa-debugcon.iobase=0xe9 \
		-drive file=g.img,format=raw,if=none,id=d,snapshot=on "$@" >qemu 2>&1 </dev/null
	case $(cat debug 2>/dev/null) in
	"HALCYON-GUEST $kind "*" BOOT OK"*) echo "$name" ;;
	esac
}
from_all() {
	from IDE pc -device ide-hd,drive=d
	from AHCI q35 -device ide-hd,drive=d
	from virtio-blk pc -device virtio-blk-pci,drive=d
	from virtio-scsi pc -device virtio-scsi-pci -device scsi-hd,drive=d
	from LSI pc -device lsi53c895a -device scsi-hd,drive=d
	from MegaSAS pc -device megasas -device scsi-hd,drive=d
	from pvscsi pc -device pvscsi -device scsi-hd,drive=d
	from NVMe pc -device nvme,drive=d,serial=1
}
for kind in xp win7; do
	guest g.img $kind
	rm -rf g.img.*
	from_all >before
	ok "$kind: is made neutral" hal-neutral apply g.img --platform generic-ide --platform qemu-i440fx-ide
	from_all >after
	for c in IDE AHCI virtio-blk virtio-scsi LSI MegaSAS pvscsi NVMe; do
		if ! grep -qx "$c" before; then
			skip "$kind: $c: this SeaBIOS starts nothing from it, neutral or not"
		else
			is "$(grep -x "$c" after)" "$c" "$kind: starts from $c"
		fi
	done
	is "$(grep -c -x 'IDE\|AHCI' after)" 2 "$kind: IDE and AHCI among them"
done
done_testing
