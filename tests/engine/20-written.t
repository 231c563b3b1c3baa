# libguestfs reads disks that every tool has written to (one launch).
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need guestfish supermin icat ifind sha256sum
for kernel in /boot/vmlinuz-*; do
	[ -r "$kernel" ] || skip_all "no kernel that supermin could read"
done
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg

guest old.img xp
guest new.img win7
imgcrypt keygen -o key --no-passphrase >/dev/null
ok "7 becomes hardware-neutral" hal-neutral apply new.img --state state \
	--platform qemu-i440fx-ide --platform q35-ahci
ok "two people leave XP" profmig extract old.img --all -R key.pub -o bundle
ok "and move in" profmig apply bundle new.img -k key --state state
ok "XP becomes hardware-neutral" hal-neutral apply old.img --state state \
	--platform qemu-i440fx-ide
seq 20000 >numbers
ok "a file goes in" imgtool files put new.img numbers /numbers.txt --state state

letter="My Documents/Letter 001.txt"
sum=$(icat -o 63 old.img "$(ifind -n "Documents and Settings/alice/$letter" \
	-o 63 old.img)" | sha256sum | cut -d' ' -f1)
cat >script <<'END'
run
inspect-os
inspect-get-product-name /dev/sda1
inspect-get-product-name /dev/sdb2
inspect-get-windows-current-control-set /dev/sdb2
mount-ro /dev/sdb2 /
ls /Users
checksum sha256 "/Users/alice/Documents/Letter 001.txt"
checksum sha256 /numbers.txt
lgetxattr "/Users/alice" system.ntfs_acl | od -An -v -tx1
END
timeout 600 guestfish --ro -a old.img -a new.img -f script >said 2>err </dev/null
is "$?" 0 "one appliance reads both disks"
sed 's/^/# /' err
is "$(sed -n 1,2p said | xargs)" "/dev/sda1 /dev/sdb2" "a Windows on each"
is "$(sed -n 3,5p said)" "Microsoft Windows XP
Windows 7 Professional
ControlSet001" "as before"
is "$(sed -n '/^All Users/,/^dave/p' said | xargs)" \
	"All Users Default Default User Public alice bob carol dave" \
	"alice and bob live on 7"
ok "alice's letter arrived" grep -q "^$sum$" said
ok "the file too" grep -q "^$(sha256sum <numbers | cut -d' ' -f1)$" said
# S-1-5-21-3623811015-3361044348-30300820-1001
sid="01 05 00 00 00 00 00 05 15 00 00 00"
sid="$sid c7 f7 fe d7 7c 77 55 c8 94 5a ce 01 e9 03 00 00"
like "$(sed 1,15d said | xargs)" "*$sid*" "alice's folder names her SID"
done_testing
