# The fixture guests, as foreign readers see them.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need mkntfs mformat hivexget hivexml fls ifind icat istat fsntfsinfo ntfsfix \
	ntfsinfo ntfsresize ntfs-3g.probe lnkinfo qemu-system-x86_64

# file IMAGE START PATH: a file's bytes; record: how istat shows it
file() { icat -o "$2" "$1" "$(ifind -n "$3" -o "$2" "$1")"; }
record() { istat -o "$2" "$1" "$(ifind -n "$3" -o "$2" "$1")"; }
# value IMAGE START HIVE KEY VALUE
value() { file "$1" "$2" "$3" >hive; hivexget hive "$4" "$5"; }

# system_of KIND: the first sector of its system volume
system_of() {
	case $1 in
	xp) echo 63 ;; vista) echo 2048 ;; win7) echo 206848 ;; *) echo 239616 ;;
	esac
}
# xp_volume IMAGE: its NTFS as a file of its own, part.img
xp_volume() { python3 "$TOP/tests/part.py" "$1" 63 2086497 part.img; }

guest xp.img xp
guest vista.img vista
guest win7.img win7
guest win10.img win10
xp=63 win7=206848 win10=239616

# ---- the same words, the same bytes ----------------------------------------

sleep 1
ok "mkguest makes an XP" mkguest xp again.img
is "$(sum_of again.img)" "$(sum_of xp.img)" "again, with the same bytes"
exits 2 "an unknown kind is a usage error" mkguest win95 x.img
says "mkguest: *win95*" "it says which"
exits 1 "no directory, no disk" mkguest xp nowhere/x.img
is "$(ls)" "again.img
err
out
vista.img
win10.img
win7.img
xp.img" "nothing else is left behind"

# ---- partitions and volumes ------------------------------------------------

is "$(mmls xp.img | grep -c 'NTFS')" 1 "XP: one partition"
is "$(mmls -M xp.img | awk '/NTFS/ { print $3 }')" 0000000063 \
	"XP: its NTFS begins at sector 63"
is "$(mmls -M win7.img | awk '/NTFS/ { print $3 }' | xargs)" \
	"0000002048 0000206848" "7: System Reserved, then C:"
is "$(mmls win10.img | grep -cE 'EFI system|Microsoft reserved|Basic data')" 3 \
	"10: GPT with EFI system, reserved and data partitions"
is "$(od -An -tx4 -j440 -N4 xp.img)" " 50d350d3" "XP: the disk's signature"
is "$(od -An -tu2 -j$((63 * 512 + 26)) -N2 xp.img | tr -d ' ')" 240 \
	"XP: the boot sector has the heads of the PC"
is "$(od -An -tu4 -j$((63 * 512 + 28)) -N4 xp.img | tr -d ' ')" 63 \
	"XP: and its place on the disk"
for kind in xp vista win7 win10; do
	like "$(fsntfsinfo -o $(($(system_of $kind) * 512)) $kind.img)" \
		"*Version*3.1*" "$kind: libfsntfs reads the volume"
done
xp_volume xp.img
ok "ntfsfix finds nothing to fix" ntfsfix -n part.img
is "$(ntfsinfo -m part.img | awk -F: '/Volume Flags/ { print $2 }' | xargs)" \
	0x0000 "the volume is clean"

ok "every cluster is accounted for" ntfsresize -i -f part.img
exits 0 "and can be mounted for writing" ntfs-3g.probe --readwrite part.img

# ---- folders and files -----------------------------------------------------

home="Documents and Settings/alice"
docs="$home/My Documents"
is "$(file xp.img $xp "$docs/Letter 001.txt" | head -n 1 | tr -d '\r')" \
	"HALCYON-PLAINTEXT alice $docs/Letter 001.txt" "a letter reads back"
is "$(file xp.img $xp "$docs/Archive.log" | wc -c)" 200006 \
	"so does a compressed file"
like "$(record xp.img $xp "$docs/Archive.log")" "*Non-Resident, Compressed*" \
	"which is compressed"
like "$(record xp.img $xp "$docs/Measurements.dat")" \
	"*Non-Resident, Sparse*size: 16777216*" "a sparse file"
record xp.img $xp "Data/Fragmented A.dat" >fragmented
is "$(file xp.img $xp "Data/Fragmented A.dat" | wc -c)" 491520 \
	"a fragmented file"
is "$(sed '1,/DATA (128/d' fragmented | tr ' ' '\n' |
	awk '/./ { if ($1 != was + 1) n++; was = $1 } END { print n }')" \
	12 "in twelve pieces"
ok "7: All Users is a symbolic link" sh -c \
	"icat -o $win7 win7.img \$(ifind -n 'Users/All Users' -o $win7 win7.img)-192 |
	od -An -tx4 -N4 | grep -q a000000c"
ok "10: a packed program" sh -c \
	"icat -o $win10 win10.img \$(ifind -n Windows/System32/mspaint.exe -o $win10 win10.img)-192 |
	od -An -tx4 -N4 | grep -q 80000017"
like "$(record xp.img $xp "$docs/Budget.csv")" "*Links: 2*" "a hard link"
like "$(record xp.img $xp "$docs/Downloaded.txt")" \
	"*Zone.Identifier*Übersetzung*" "named streams"
like "$(record xp.img $xp "$docs/Four times.txt")" "*Created:?2008-04-23*
File Modified:?2008-04-24*
MFT Modified:?2008-04-25*
Accessed:?2008-04-26*" "four times on four days"
like "$(record xp.img $xp "$docs/Letter 001.txt")" "*S-1-5-21-*-1003*" \
	"the owner is alice"
fls -r -p -o $xp xp.img >names
for name in "Übersicht Verträge Größe.txt" "Отчёт за год.txt" "議事録.txt" \
	"party 🎉.txt"; do
	ok "there is $name" grep -q "alice/My Documents/$name" names
done
ok "XP: hundreds of files" test "$(grep -c "Settings/alice" names)" -gt 180
record win7.img $win7 "Users/carol/My Documents" >junction
ok "7: My Documents is a hidden junction" grep -q "Hidden, System, Reparse" junction
file xp.img $xp "$home/Desktop/First letter.lnk" >a.lnk
lnkinfo a.lnk >shown
ok "a shortcut leads to the letter" grep -qF \
	'C:\Documents and Settings\alice\My Documents\Letter 001.txt' shown
file xp.img $xp "WINDOWS/Driver Cache/i386/sp3.cab" >a.cab
like "$(od -An -c -N4 a.cab)" "*M   S   C   F" "XP: the driver cabinet"

# ---- hives -----------------------------------------------------------------

config=WINDOWS/system32/config
for kind in xp vista win7 win10; do
	[ $kind = xp ] || config=Windows/System32/config
	for name in SYSTEM SOFTWARE SAM SECURITY DEFAULT; do
		file $kind.img "$(system_of $kind)" "$config/$name" >hive
		ok "$kind: hivexml reads $name" hivexml hive
	done
done
config=WINDOWS/system32/config
is "$(value xp.img $xp $config/system 'ControlSet001\Services\atapi' Start)" 0 \
	"XP: atapi starts at boot"
is "$(value win7.img $win7 Windows/System32/config/SYSTEM \
	'ControlSet001\Services\msahci' Start)" 3 "7: msahci does not"
is "$(value xp.img $xp $config/software \
	'Microsoft\Windows NT\CurrentVersion' ProductName)" \
	"Microsoft Windows XP" "XP: its name"
is "$(value xp.img $xp "$home/NTUSER.DAT" 'Software\Corp Example\Client' Marker)" \
	"HALCYON-REGISTRY alice" "XP: alice's hive"

# ---- they start ------------------------------------------------------------

for kind in xp win7 win10; do
	rm -f debug
	timeout 60 qemu-system-x86_64 -machine pc,accel=tcg -m 64 -nodefaults \
		-display none -no-reboot -debugcon file:debug \
		-global isa-debugcon.iobase=0xe9 -serial file:serial \
		-drive file=$kind.img,format=raw,if=ide,snapshot=on </dev/null
	is "$?" 0 "$kind: starts and switches the machine off"
	like "$(cat debug)" "HALCYON-GUEST $kind * BOOT OK*" \
		"$kind: its boot sector says so on the debug port"
	like "$(cat serial)" "*HALCYON-GUEST $kind * BOOT OK*" \
		"$kind: and on the serial port"
done
ovmf=/usr/share/OVMF
if [ -r $ovmf/OVMF_CODE_4M.fd ]; then
	cp $ovmf/OVMF_VARS_4M.fd vars.fd
	rm -f debug
	timeout 120 qemu-system-x86_64 -machine q35,accel=tcg -m 256 -nodefaults \
		-display none -no-reboot -debugcon file:debug \
		-global isa-debugcon.iobase=0xe9 -drive \
		if=pflash,format=raw,readonly=on,file=$ovmf/OVMF_CODE_4M.fd \
		-drive if=pflash,format=raw,file=vars.fd -device ide-hd,drive=d \
		-drive file=win10.img,format=raw,if=none,id=d,snapshot=on </dev/null
	like "$(cat debug)" "HALCYON-GUEST win10 WIN10-NEW BOOT OK*" \
		"win10: starts under UEFI too"
else
	skip "OVMF is not installed"
fi
if command -v as objcopy nm >/dev/null; then
	mkdir boot
	cp "$TOP"/testdata/*.S "$TOP/testdata/bootcode.sh" boot/
	(cd boot && sh bootcode.sh)
	ok "the boot code is what its source says" \
		cmp boot/bootcode.c "$TOP/testdata/bootcode.c"
else
	skip "no assembler"
fi

# ---- the odd ones ----------------------------------------------------------

mkguest xp odd.img --hibernated --other-current \
	--missing-driver intelide --system-drive-d --two-installs
is "$(file odd.img $xp hiberfil.sys | head -c 4)" hibr "hibernated: hibr"
is "$(value odd.img $xp $config/system Select Current)" 2 "Current is 2"
is "$(value odd.img $xp $config/system Select Default)" 1 "Default is 1"
ok "no intelide.sys" sh -c "! fls -r -o $xp odd.img | grep -qi intelide.sys"
is "$(value odd.img $xp $config/software \
	'Microsoft\Windows NT\CurrentVersion' SystemRoot)" 'D:\WINDOWS' "D:"
is "$(value odd.img $xp WINDOWS.1/system32/config/system \
	'ControlSet001\Control\ComputerName\ComputerName' ComputerName)" \
	XP-OFFICE-2 "a second Windows"
mkguest xp odd2.img --german --dirty-hive --dirty-volume
xp_volume odd2.img
like "$(ntfsinfo -f -m part.img)" "*Volume Flags: 0x0001*" "dirty-volume: the flag"
exits 15 "dirty-volume: and an open log" ntfs-3g.probe --readwrite part.img
ok "German folders" test -n \
	"$(file odd2.img $xp "Dokumente und Einstellungen/alice/Eigene Dateien/Letter 001.txt")"
is "$(file odd2.img $xp $config/system | od -An -tu4 -j4 -N8 | xargs)" "3 2" \
	"a dirty hive: its sequence numbers differ"
is "$(file odd2.img $xp $config/system.LOG | tail -c +513 | head -c 4)" DIRT \
	"its log holds pages"
if command -v vshadowinfo >/dev/null; then
	mkguest win7 odd3.img --shadow-copies
	like "$(vshadowinfo -o $((win7 * 512)) odd3.img)" \
		"*Number of stores*1*" "libvshadow finds the shadow copy"
else
	skip "vshadowinfo is not installed"
fi
done_testing
