#!/bin/sh
# The hives of real machines as the guests' own: what is planned, and no more.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need icat mmls fls
data=$TOP/../shared/realdata
[ -d "$data/hives" ] || skip_all "no real hives at hand"

# transplant IMAGE PATH HIVE: put a real hive into a guest, with a plan
transplant() {
	start=$(mmls "$1" | awk '/NTFS/ { s = $3 } END { print s + 0 }')
	inode=$(fls -rp -o "$start" "$1" | awk -F '\t' -v want="${2#/}" \
		'tolower($2) == tolower(want) { print $1; exit }' |
		sed 's/^[^ ]* *\([0-9-]*\).*/\1/')
	icat -o "$start" "$1" "$inode" >old
	hal-neutral plan -q "$1" --platform q35-ahci | sed -n '/^- 0x/p' >serial
	printf 'format: halcyon-plan\nversion: 1\nmade-by: test\nvolumes:\n%s\nentries:\n- {kind: file, path: %s, old: [sha256, %s, "%s"], want: [drivers, %s, %s, "%s"], rule: t, why: t}\n' \
		"$(cat serial)" "$2" "$(stat -c %s old)" "$(sha256sum old | cut -d ' ' -f 1)" \
		"$3" "$(stat -c %s "$3")" "$(sha256sum "$3" | cut -d ' ' -f 1)" >put.plan
	ok "$1 gets a real SYSTEM hive" hal-neutral apply "$1" put.plan
}
# wants PLAN: an entry a line, without what the image holds now
wants() {
	awk '/^- kind:/ { flush() } { sub(/^(- |  )/, "") }
	     /^(path|key|name|at|want|rule): / { k = $1; sub(/^[^ ]* /, ""); f[k] = $0 }
	     function flush() {
		if (f["rule:"] != "") {
			p = f["rule:"] " " f["key:"] f["path:"]
			if (f["at:"] != "") p = p "@" f["at:"]
			if (f["name:"] != "") p = p " " f["name:"]
			print p " = " f["want:"]
		}
		delete f
	     }
	     END { flush() }' "$1" | sed "s/  # .*//; s/, [0-9]*, '[0-9a-f]\{64\}'\]/]/; s#$data#DATA#" | sort
}
# reviewed NAME PLAN: the plan is the golden one
reviewed() {
	wants "$2" >got
	[ -z "${GOLDEN-}" ] || cp got "$GOLDEN-$1"
	grep -v '^#' "$TOP/tests/golden/hal-neutral-$1.txt" >want
	is "$(diff want got)" "" "$1: the plan is the reviewed one"
}

guest xp.img xp
transplant xp.img /WINDOWS/system32/config/system "$data/hives/xp-pat/SYSTEM"
ok "XP: a plan is made" hal-neutral plan xp.img --platform qemu-i440fx-ide -o plan
reviewed real-xp plan
exits 8 "XP: the proof sees which of its files the fixture lacks" \
	hal-neutral apply xp.img --platform qemu-i440fx-ide
like "$(cat err)" "*boot driver sr: *sr.sys: the file is not there*" "XP: and names one"
# the drivers of virtio-win for it, whose binaries are not here: an x86 one stands in
mkdir drv
cp "$data"/inf/viostor-wxp/* drv/
imgtool files cat xp.img /WINDOWS/system32/drivers/atapi.sys >drv/viostor.sys
ok "XP: planned with virtio's driver" hal-neutral plan xp.img --platform virtio-blk --drivers drv -o plan --force
sed "s#$PWD#DIR#" plan >plan2
reviewed real-xp-virtio plan2

guest seven.img vista
transplant seven.img /Windows/System32/config/SYSTEM "$data/hives/win7-wks/SYSTEM"
ok "7: a plan is made" hal-neutral plan seven.img --platform q35-ahci --platform qemu-i440fx-ide -o plan --force
reviewed real-win7 plan
ok "7: every id of the virtio INF for XP is read" \
	hal-neutral plan seven.img --platform virtio-blk --drivers "$data/inf/viostor-wxp"
like "$(cat err)" "*names viostor.sys, which is not there*" "7: and the missing driver file is told"
rm -rf drv; mkdir drv
cp "$data"/inf/viostor-wlh/* drv/
imgtool files cat seven.img /Windows/System32/drivers/atapi.sys >drv/viostor.sys
ok "7: planned with virtio's driver" hal-neutral plan seven.img --platform virtio-blk --drivers drv -o plan --force
sed "s#$PWD#DIR#" plan >plan2
reviewed real-win7-virtio plan2
done_testing
