# The same tests pass on both engines and every file system (two launches; one
# of them makes a fixture, once).
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need guestfish supermin mformat mkntfs mkfs.ext4 mkfs.exfat cryptsetup debugfs fls
for kernel in /boot/vmlinuz-*; do
	[ -r "$kernel" ] || skip_all "no kernel that supermin could read"
done
ntfs() { truncate -s "$2" "$1"; mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 "$1" >/dev/null 2>&1; }

# LVM's own tools make the volume group, in an appliance; its first volume
# begins behind the first MiB.
lvm=$BUILD/fixtures/lvm.img
if [ ! -e "$lvm" ]; then
	mkdir -p "$BUILD/fixtures"
	truncate -s 40M "$lvm.part"
	ok "lvm2 makes a volume group" env LIBGUESTFS_BACKEND=direct \
		LIBGUESTFS_BACKEND_SETTINGS=force_tcg timeout 600 guestfish \
		-a "$lvm.part" run : pvcreate /dev/sda : \
		vgcreate pcs /dev/sda : lvcreate windows pcs 24 : \
		mkfs ntfs /dev/pcs/windows
	mv "$lvm.part" "$lvm"
fi
cp --sparse=always "$lvm" l.img
ntfs n.img 24M
ntfs a.img 24M
ntfs plain 12M
password=geheim123 recovery=011022-033044-055066-077088-099110-121132-143154-165176
python3 "$TOP/tests/bitlk.py" seal plain b.img $password $recovery
ok "cryptsetup accepts the BitLocker fixture" cryptsetup bitlkDump b.img
printf %s $password >key
ok "and its password" cryptsetup open --type bitlk --test-passphrase --key-file key b.img
printf %s $recovery >key
ok "and its recovery password" cryptsetup open --type bitlk --test-passphrase --key-file key b.img
mformat -C -i f.img -T 163840 -h 16 -s 63 -F -v HALCYON ::
truncate -s 24M x.img e.img
mkfs.exfat x.img >/dev/null
mkfs.ext4 -q e.img

for i in n a b f x e l; do cp --sparse=always $i.img $i.before; done
HALCYON_ENGINES="ntfs n.img
ntfs-asked a.img
bitlocker b.img
fat32 f.img
exfat x.img
ext e.img
lvm l.img
"
HALCYON_KEEP=1
export HALCYON_ENGINES HALCYON_KEEP
CMOCKA_MESSAGE_OUTPUT=TAP timeout 900 "$BUILD/tests/test_volume_engines" >said 2>err </dev/null
grep -E '^(not )?ok' said | sort -k 5 >results
sed 's/^/# /' err | grep -v 'not ok\|^# *$' | head -n 40
for kind in ntfs ntfs-asked bitlocker fat32 exfat ext lvm; do
	# written, read back; then natively where that can be (else skipped)
	is "$(grep -c "^ok .* - $kind\$" said)" "$(case $kind in
		ntfs|ntfs-asked|fat32) echo 3 ;; *) echo 2 ;; esac)" "$kind: everything passes"
done
is "$(grep '^not ok' said | grep -cv SKIP)" 0 "and nothing fails"

# ---- what foreign readers see of it
note="Users/Zoë/Desktop/note.txt"
tsk() { icat "$1" "$(ifind -n "$2" "$1")"; }
is "$(tsk a.img "$note")" "hello again" "sleuthkit: NTFS, by the appliance"
ok "ntfsfix accepts it" ntfsfix -n a.img
is "$(debugfs -R "cat \"/$note\"" e.img 2>/dev/null)" "hello again" "debugfs: ext4"
ok "fsck accepts it" fsck.ext4 -fn e.img
is "$(mtype -i f.img "::/$note")" "hello again" "mtools: FAT32"
ok "fsck accepts it" fsck.fat -n f.img
ok "fsck accepts exFAT" fsck.exfat -n x.img
dd if=l.img of=l.ntfs bs=1M skip=1 count=24 status=none
is "$(tsk l.ntfs "$note")" "hello again" "sleuthkit: NTFS on LVM"
python3 "$TOP/tests/bitlk.py" open b.img b.ntfs $password
is "$(tsk b.ntfs "$note")" "hello again" "sleuthkit: NTFS under BitLocker"
ok "ntfsfix accepts it" ntfsfix -n b.ntfs

# ---- and takes back
for i in n a b f x e l; do
	exits 0 "$i: undo" imgtool undo --format raw $i.img
	ok "$i: is what it was" cmp $i.img $i.before
done
done_testing
