#!/bin/sh
# Where each fixture boots before and after, link by missing link.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

all=$(hal-neutral platforms | sed 's/ .*//; s/^/--platform /' | tr '\n' ' ')
reach() {
	case $1 in
	xp) echo generic-ide hyperv-gen1 qemu-i440fx-ide vbox-ide vmware-lsi xen-hvm ;;
	win10) echo generic-ahci generic-nvme hyperv-gen2 q35-ahci vbox-ahci vmware-nvme vmware-sas ;;
	*) echo generic-ahci generic-ide hyperv-gen1 q35-ahci qemu-i440fx-ide vbox-ahci vbox-ide vmware-lsi vmware-sas xen-hvm ;;
	esac | sed 's/\([^ ]*\)/--platform \1/g'
}
: >matrix
for kind in xp vista win7 win10; do
	guest g.img $kind
	ok "$kind: its own PC is a platform" hal-neutral platforms --from g.img
	mv out own.yaml
	exits 0 "$kind: on which it boots as it is" \
		hal-neutral verify g.img --platform ./own.yaml
done
for kind in xp vista win7 win10; do
	guest g.img $kind
	echo "== $kind before" >>matrix
	# shellcheck disable=SC2086
	hal-neutral verify g.img $all >>matrix
	# shellcheck disable=SC2046
	ok "$kind: every platform within reach is reached" \
		hal-neutral apply g.img $(reach $kind)
	echo "== $kind after" >>matrix
	# shellcheck disable=SC2086
	hal-neutral verify g.img $all >>matrix
	ok "$kind: and all of it is taken back" hal-neutral revert g.img
done
# an APIC HAL on a machine whose firmware describes none
guest g.img xp
hal-neutral apply g.img --platform generic-ide >out 2>err
sed 's/^name:.*/name: no-apic/; s/^devices:/madt: false\ndevices:/' \
	"$TOP/hal-neutral/platforms/generic-ide.yaml" >no-apic.yaml
exits 8 "an APIC HAL needs an APIC" hal-neutral verify g.img --platform ./no-apic.yaml
like "$(cat out)" "no-apic *NO*hal *no APIC*" "the link is named"
is "$(diff "$TOP/tests/golden/hal-neutral-matrix.txt" matrix)" "" "the matrix is the reviewed one"
done_testing
