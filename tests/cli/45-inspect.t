#!/bin/sh
# imgtool inspect: what a disk is, in text and JSON, and odd guests.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need jq

for kind in xp vista win7 win10; do
	guest $kind.img $kind
	cp --sparse=always $kind.img before.img
	ok "inspect $kind" imgtool inspect --json "$kind.img"
	mv out $kind.json
	ok "$kind: not a byte changed" cmp $kind.img before.img
done
# field NAME FILTER...: one value of the first installation
field() { kind=$1; shift; jq -r ".installations[0] | $1" "$kind.json"; }
is "$(field xp .generation)" "Windows XP" "XP is XP"
is "$(field vista .generation)" "Windows Vista" "Vista is Vista"
is "$(field win7 .generation)" "Windows 7" "7 is 7"
is "$(field win10 .generation)" "Windows 10" "10 is 10"
is "$(field xp .architecture)" x86 "XP: 32 bits"
is "$(field win7 .architecture)" amd64 "7: 64 bits"
is "$(field xp '."system-root"')" 'C:\WINDOWS' "XP: its folder"
is "$(field win7 .partition)" 2 "7: behind the system partition"
is "$(field win7 .boots)" true "the BCD starts it"
is "$(field xp .boots)" true "boot.ini starts it"
is "$(field xp .computer)" XP-OFFICE "its name"
is "$(field xp .domain)" corp.example "its domain"
is "$(field xp '[.users[] | select(.account == "local")][0].name')" alice \
	"the local user, by the SAM"
is "$(field xp '[.users[] | select(.account == "domain")][0].name')" bob \
	"the domain user, by the profile"
is "$(field xp '[.users[] | select(.name == "alice")][0].profile')" \
	'C:\Documents and Settings\alice' "the profile's folder"
is "$(field xp '[.letters[] | select(.letter == "C:")][0].partition')" 1 \
	"drive C:"
is "$(jq -r '."partition-table"' win10.json)" GPT "10: GPT"

is "$(field xp .hal)" acpiapic_up "its HAL"
like "$(field win7 '.programs[].name')" "*7-Zip*" "its programs"
like "$(field win7 '.hardware[].id')" "*VEN_8086*" "the PCI devices it has met"
like "$(field xp '."boot-drivers"[]')" "*atapi*" "the drivers that start it"
is "$(field xp '."profiles-checked"[] | select(.name == "alice") | .logon')" true \
	"alice's profile would be loaded"
is "$(field xp '."profiles-checked"[] | select(.name == "alice") | .folders.documents')" \
	'C:\Documents and Settings\alice\My Documents' "her documents"

guest d.img win7 --system-drive-d
ok "a system on D:" imgtool inspect --json d.img
is "$(jq -r '.installations[0]."system-root"' out)" 'D:\Windows' "is on D:"
is "$(jq -r '.installations[0].users[] | select(.name == "dave") | .folder' out)" true \
	"and its profiles are found there"
guest o.img xp --other-current
ok "another Current" imgtool inspect o.img
like "$(cat out)" '*differs from Default*' "is said"
guest h.img win7 --hibernated
ok "a sleeping Windows" imgtool inspect h.img
like "$(cat out)" '*hibernated*' "is said"
guest v.img win7 --dirty-volume
ok "a dirty volume" imgtool inspect v.img
like "$(cat out)" '*volume dirty*' "is said"

# ---- several disks
exits 0 "two disks" imgtool inspect xp.img win7.img
is "$(grep -c ' MiB, MBR' out)" 2 "both are shown"
exits 7 "three, of which one is not there" imgtool inspect --json xp.img ./none.img win7.img
is "$(jq -r '.disks[].disk' out | xargs)" "xp.img ./none.img win7.img" "in that order"
is "$(jq -r '.disks[].installations[0].generation' out | xargs)" \
	"Windows XP null Windows 7" "the others are inspected"
like "$(jq -r '.disks[1].error' out)" "*none.img*" "the one is named"
like "$(cat err)" "*1 of 3 disks could not be inspected*" "and counted"

# ---- volumes by name
is "$(imgtool files ls win10.img esp:/EFI 2>/dev/null | xargs)" \
	"$(imgtool files ls win10.img '1:\EFI' | xargs)" "the EFI system partition has a name"
ok "which is not empty" imgtool files ls win10.img esp:/EFI/Microsoft/Boot
exits 8 "no such partition" imgtool files ls win10.img 9:/EFI
says "*no volume 9*" "says so"

# ---- the same XP on FAT32, as its users often chose
if command -v mformat >/dev/null; then
	imgtool files get xp.img '\' tree
	rm -f tree/pagefile.sys tree/hiberfil.sys
	mformat -C -i fat.img -T 400000 -h 16 -s 63 -F -v XP ::
	MTOOLS_SKIP_CHECK=1 mcopy -s -Q -m -i fat.img tree/* ::
	exits 0 "XP on FAT32" imgtool inspect --json fat.img
	is "$(jq -r '.volumes[0].kind' out)" FAT "it is FAT"
	is "$(jq -r '.installations[0] | .generation + " " + .computer' out)" \
		"Windows XP XP-OFFICE" "it is the same XP"
	is "$(jq -r '[.installations[0].users[] | select(.hive)] | length' out)" \
		"$(jq -r '[.installations[0].users[] | select(.hive)] | length' xp.json)" \
		"with the same people"
else
	skip "mtools is not installed"
fi

head -c 1000000 /dev/zero >empty.img
exits 4 "no partition table" imgtool inspect --format raw empty.img
head -c 40000000 xp.img >short.img
exits 4 "a truncated disk" imgtool inspect --format raw short.img
says '*short.img*' "names the disk"
done_testing
