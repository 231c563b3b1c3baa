# The commands on disks that need the appliance (three launches).
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need guestfish supermin mkntfs mkfs.ext4 debugfs jq mtype
for kernel in /boot/vmlinuz-*; do
	[ -r "$kernel" ] || skip_all "no kernel that supermin could read"
done
lvm=$BUILD/fixtures/lvm.img
[ -e "$lvm" ] || skip_all "30-both.t has not made its fixture"

cp --sparse=always "$lvm" lvm.img
truncate -s 12M plain ext.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 plain >/dev/null 2>&1
mkfs.ext4 -q -L linux ext.img
printf 'left a file\n' >hello
imgtool files put --format raw plain hello /hello.txt
password=geheim123 recovery=011022-033044-055066-077088-099110-121132-143154-165176
python3 "$TOP/tests/bitlk.py" seal plain locked.img $password $recovery
guest xp.img xp
guest win10.img win10
echo $password >right
echo wrong-password >wrong

# ---- without it
exits 0 "a locked volume is shown" imgtool inspect locked.img
like "$(cat out)" "*BitLocker*--volume-key*" "with the way to open it"
exits 5 "no file and no recovery password" sh -c 'imgtool files ls locked.img / --volume-key nonsense; [ $? = 2 ] && exit 5'
exits 0 "natively only" imgtool inspect --engine native ext.img
like "$(cat out)" "*ext, which cannot be read*" "a Linux volume cannot be read"

# ---- one launch for four disks, and one result each
exits 7 "five disks" imgtool inspect --json --volume-key right xp.img ext.img lvm.img locked.img ./none
is "$(jq -r '.disks[].disk' out | xargs)" "xp.img ext.img lvm.img locked.img ./none" "one result each"
is "$(jq -r '.disks[0].installations[0].generation' out)" "Windows XP" "XP, natively"
is "$(jq -r '.disks[1].volumes[0] | .kind + " " + .label' out)" "ext linux" "a Linux volume"
is "$(jq -r '.disks[2].volumes[1] | .name + " " + .kind' out)" "pcs/windows NTFS" "a logical volume"
is "$(jq -r '.disks[3].volumes[0] | .kind + " " + (.why // "open")' out)" "NTFS open" "BitLocker, unlocked"
like "$(jq -r '.disks[4].error' out)" "*none*" "and one error"

# ---- BitLocker is written, and taken back, like anything else
cp locked.img before.img
exits 0 "a file goes into BitLocker" imgtool files put locked.img right /new.txt --volume-key $recovery
python3 "$TOP/tests/bitlk.py" open locked.img open.ntfs x
is "$(icat open.ntfs "$(ifind -n new.txt open.ntfs)")" $password "sleuthkit reads it"
is "$(icat open.ntfs "$(ifind -n hello.txt open.ntfs)")" "left a file" "and what was there"
like "$(imgtool history locked.img)" "*files put /new.txt*" "it is in the history"
exits 0 "undo" imgtool undo locked.img
ok "takes it back" cmp locked.img before.img

# ---- the EFI system partition
sum_of win10.img >was
exits 0 "a file goes into it" imgtool files put --engine appliance win10.img hello 'esp:\EFI\hello.txt'
start=$(imgtool inspect --json win10.img | jq '.volumes[0].start')
is "$(mtype -i "win10.img@@$start" ::/EFI/hello.txt)" "left a file" "mtools reads it"
exits 0 "undo" imgtool undo win10.img
is "$(sum_of win10.img)" "$(cat was)" "takes it back"
done_testing
