# Real disk images: each is told truly, or refused with its reason.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
disks=$TOP/../shared/realdata/disks
[ -d "$disks" ] || skip_all "no real disks beside the project"
need qemu-img qemu-nbd jq

exits 0 "a data disk of Windows Server 2003" imgtool inspect --json "$disks/server2003-128g-lba63.qcow2"
is "$(jq -r '."partition-table" + " " + (.size | tostring)' out)" "MBR 137438953472" "its size and table"
is "$(jq -r '.volumes[0] | .kind + " " + (.start | tostring) + " " + .label' out)" \
	"NTFS 32256 Новый том" "one NTFS volume at sector 63, with a Russian label"
is "$(jq '.volumes[0]."shadow-copies"' out)" true "with shadow copies"
is "$(jq '.installations | length' out)" 0 "and no Windows"
exits 0 "its files" imgtool files ls "$disks/server2003-128g-lba63.qcow2"
exits 3 "a differencing VHD" imgtool inspect "$disks/image-differential.vhd"
says "*differencing*parent*" "is refused with the way out"
exits 4 "a VHD whose checksum is wrong" imgtool inspect "$disks/image.vhd"
says "*checksum*" "is refused with the reason"
exits 4 "a zip file" imgtool inspect "$disks/test.vhdx.zip"
says "*not a disk*" "is refused"
done_testing
