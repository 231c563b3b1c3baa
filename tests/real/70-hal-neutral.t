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
rules() { sed -n 's/^  rule: //p' plan | sort | uniq -c | awk '{ print $2, $1 }' | paste -sd ' '; }

guest xp.img xp
transplant xp.img /WINDOWS/system32/config/system "$data/hives/xp-pat/SYSTEM"
ok "XP: a plan is made" hal-neutral plan xp.img --platform qemu-i440fx-ide -o plan
is "$(rules)" "boot-sector/X25 2 processor/X17 2 storage/X1 1 storage/X2 18 storage/X5 42 storage/X6 108" \
	"XP: the rules want what was reviewed"
exits 8 "XP: the proof sees which of its files the fixture lacks" \
	hal-neutral apply xp.img --platform qemu-i440fx-ide
like "$(cat err)" "*boot driver sr: *sr.sys: the file is not there*" "XP: and names one"

guest seven.img vista
transplant seven.img /Windows/System32/config/SYSTEM "$data/hives/win7-wks/SYSTEM"
ok "7: a plan is made" hal-neutral plan seven.img --platform q35-ahci --platform qemu-i440fx-ide -o plan --force
# This machine ran on VMware.
is "$(rules)" "guest-tools/1.7 4 storage/V1 2" "7: the rules want what was reviewed"
is "$(grep -c 'key: .*msahci' plan)" 2 "7: msahci is let start in both control sets"
ok "7: every id of the virtio INF for XP is read" \
	hal-neutral plan seven.img --platform virtio-blk --drivers "$data/inf/viostor-wxp"
like "$(cat err)" "*names viostor.sys, which is not there*" "7: and the missing driver file is told"
done_testing
