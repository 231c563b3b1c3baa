#!/bin/sh
# A disk's files under a folder of this machine, compared with sleuthkit's view.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need jq fusermount3 nbdfuse nbdkit tsk_recover mountpoint getfattr

# Whether this machine lets us mount at all is asked of somebody else's program.
[ -w /dev/fuse ] || skip_all "/dev/fuse can not be used"
mkdir probe m
nbdfuse -r probe --command nbdkit -s null 1M 2>/dev/null &
for _ in $(seq 100); do
	[ -e probe/nbd ] && break
	sleep 0.02
done
[ -e probe/nbd ] || skip_all "nothing can be mounted here"
fusermount3 -u probe

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"

# shown ARGUMENT...: mounted at m by the process $server
shown() {
	imgtool mount "$@" m >mount.out 2>mount.err &
	server=$!
	while [ ! -s mount.out ] && kill -0 $server 2>/dev/null; do sleep 0.02; done
}

guest disk.img win7
echo "the note" >note
head -c 3000000 /dev/urandom >big
imgtool files put disk.img note 'C:\HALCYON.TXT:note'
imgtool files put disk.img big 'C:\big'
before=$(sum_of disk.img)
shown disk.img
is "$(cat mount.out)" "mounted m" "says when it can be used"
is "$(cd m && echo *)" "1 C" "a folder a volume: by letter, else by number"
ok "large files are whole" cmp big m/C/big
ok "names are found without case" cmp big m/c/BIG
is "$(stat -c %s m/C/pagefile.sys)" 50331648 "sizes"
is "$(find m/C -maxdepth 1 -name '?MFT')" "" "the metafiles are not shown"

# sleuthkit copies out every file that has contents, and calls a name's $ _.
tsk_recover -a -o 206848 disk.img theirs >/dev/null 2>&1
is "$(($(find theirs -type f | wc -l) > 200))" 1 "there are files to compare"
is "$(diff -rq --no-dereference theirs m/C 2>&1 |
	grep -v '^Only in m/C' | grep -v '^Only in theirs: [$]')" "" \
	"each is what sleuthkit reads"
is "$(readlink 'm/C/Documents and Settings')" ../C/Users "junctions are links"
ok "that lead somewhere" test -d 'm/C/Documents and Settings/carol'
is "$(find m -type l -exec realpath {} + | grep -cv "^$PWD/m/")" 0 \
	"and never out of the mount point"
is "$(stat -c '%h' m/C/Windows/win.ini)" \
	"$(imgtool files stat --json disk.img 'C:\Windows\win.ini' | jq '.. | .links? // empty')" "links"
is "$(getfattr --only-values -n user.note m/C/HALCYON.TXT)" "the note" \
	"a stream is an extended attribute"
is "$(getfattr -d m/C/HALCYON.TXT | grep -c user.note)" 1 "and listed"
is "$(getfattr -n system.ntfs_attrib -e hex m/C/Windows/win.ini | grep -c '=0x2[01]000000')" 1 \
	"so are the attributes"
like "$(getfattr -n system.ntfs_acl -e hex m/C/Windows/win.ini | grep '=')" \
	"*=0x010004*" "the security descriptor"
is "$(getfattr -n system.ntfs_times -e hex m/C/big | grep '=' | wc -c)" 85 "and times"
touch m/C/new 2>err
like "$(cat err)" "*Read-only*" "nothing can be written"
exits 6 "the disk is in use meanwhile" imgtool files rm disk.img 'C:\big'
kill $server; wait $server
is $? 0 "ends when asked to"
is "$(ls m)" "" "and is not mounted any more"
is "$(sum_of disk.img)" "$before" "the disk is as it was"

exits 0 "in the background" imgtool mount --background disk.img m
is "$(cat out)" "mounted m" "returns when it can be used"
ok "is mounted" mountpoint -q m
ok "fusermount3 -u ends it" fusermount3 -u m
exits 0 "raw" imgtool mount -b --raw disk.img m
is "$(sum_of m/disk.raw)" "$before" "is the disk as one file"
is "$(($(qemu-img map --output=json -f raw m/disk.raw | jq length) > 3))" 1 \
	"with its holes"
fusermount3 -u m
exits 1 "a folder that is not there" imgtool mount -b disk.img nowhere
says "*nowhere: No such file*" "is told"
exits 2 "a file" imgtool mount disk.img big
exits 8 "a disk that is not there" imgtool mount -b nothing m
is "$(wc -l <err)" 1 "is told once"

ok "a stored version" imgtool import disk.img win7
ok "can be mounted too" imgtool mount -b win7:1 m
ok "and its files are whole" cmp big m/C/big
fusermount3 -u m

guest efi.img win10
ok "a FAT volume too" imgtool mount -b efi.img m
is "$(find m/[0-9] -iname bootmgfw.efi | wc -l)" 1 "with its files"
fusermount3 -u m

# A guest whose links would lead to files of this machine.
cat >links.py <<'P'
import os, struct
def symlink(target, relative):
    name = target.encode("utf-16-le")
    body = struct.pack("<HHHHI", 0, len(name), 0, len(name), int(relative)) + name
    return struct.pack("<IHH", 0xa000000c, len(body), 0) + body
for path, target, relative in (
        ("up", "..\\file", True), ("out", "..\\" * 20 + "etc\\passwd", True),
        ("top", "\\etc\\passwd", True), ("self", "..\\..\\..", True),
        ("drive", "\\??\\C:\\..\\..\\etc\\passwd", False),
        ("slash", "/../../../../../../../etc/passwd", False)):
    open("n/a/b/" + path, "w").close()
    os.setxattr("n/a/b/" + path, "system.ntfs_reparse_data", symlink(target, relative))
P
truncate -s 30M vol.img
mkdir n
if mkntfs -F -Q -q vol.img >/dev/null 2>&1 && ntfs-3g vol.img n 2>/dev/null; then
	mkdir -p n/a/b
	echo inside >n/a/file
	python3 links.py
	fusermount3 -u n || umount n
	exits 0 "a volume without a partition table" imgtool mount -b vol.img m
	is "$(cat m/*/a/b/up)" inside "a link inside leads there"
	is "$(realpath -m m/*/a/b/* | grep -cv "^$PWD/m/")" 0 "none leads out"
	is "$(readlink m/*/a/b/slash)" '\..\..\..\..\..\..\..\etc\passwd' \
		"what leads away keeps Windows' spelling"
	fusermount3 -u m
else
	skip "ntfs-3g mounts nothing here"
fi
done_testing
