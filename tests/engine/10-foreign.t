# libguestfs' own inspection recognises every fixture guest (one launch).
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need guestfish supermin
for kernel in /boot/vmlinuz-*; do
	[ -r "$kernel" ] || skip_all "no kernel that supermin could read"
done
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg

guest xp.img xp
guest vista.img vista
guest win7.img win7
guest win10.img win10
guest german.img xp --german --system-drive-d

# tell ROOT: what inspection says of it, one answer a line
tell() {
	echo "echo == $1"
	for what in type distro arch product-name hostname major-version \
		minor-version windows-systemroot windows-current-control-set; do
		echo "inspect-get-$what $1"
	done
	echo "inspect-get-drive-mappings $1"
}
{
	echo run
	echo inspect-os
	for root in /dev/sda1 /dev/sdb1 /dev/sdc2 /dev/sdd3 /dev/sde1; do
		tell $root
	done
} >script
timeout 600 guestfish --ro -a xp.img -a vista.img -a win7.img -a win10.img \
	-a german.img -f script >said 2>err </dev/null
is "$?" 0 "one appliance inspects five disks"
sed 's/^/# /' err

# answers ROOT: the lines that were said of it
answers() { awk -v root="$1" '/^== / { on = $2 == root; next } on' said; }
is "$(sed '/^==/,$d' said | xargs)" \
	"/dev/sda1 /dev/sdb1 /dev/sdc2 /dev/sdd3 /dev/sde1" \
	"it finds one Windows on each"
is "$(answers /dev/sda1)" "windows
windows
i386
Microsoft Windows XP
XP-OFFICE
5
1
/WINDOWS
ControlSet001
C: /dev/sda1" "XP"
is "$(answers /dev/sdb1)" "windows
windows
i386
Windows Vista (TM) Business
VISTA-OLD
6
0
/Windows
ControlSet001
C: /dev/sdb1" "Vista"
is "$(answers /dev/sdc2)" "windows
windows
x86_64
Windows 7 Professional
WIN7-NEW
6
1
/Windows
ControlSet001
C: /dev/sdc2" "Windows 7"
is "$(answers /dev/sdd3)" "windows
windows
x86_64
Windows 10 Pro
WIN10-NEW
10
0
/Windows
ControlSet001
C: /dev/sdd3" "Windows 10"
# The XP of before has the same disk signature: either may be its D:.
like "$(answers /dev/sde1 | tail -n 1)" "D: /dev/sd?1" "an XP whose drive is D:"
done_testing
