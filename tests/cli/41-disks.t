#!/bin/sh
# Every image format is read and rewritten; what is no good disk is refused.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img qemu-nbd mkntfs

truncate -s 12M d.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 d.img >/dev/null 2>&1
head -c 200000 /dev/urandom >file
imgtool files put d.img file /first
imgtool undo --drop --yes -q d.img

for f in qcow2:qcow2 vhd:vpc vhdx:vhdx vmdk:vmdk vdi:vdi; do
	image=d.${f%:*} q=${f#*:}
	opts=
	[ "$q" != vpc ] || opts=force_size=on
	qemu-img convert -O "$q" ${opts:+-o "$opts"} d.img "$image"
	imgtool files cat "$image" /first >back
	ok "$image: read" cmp file back
	exits 0 "$image: written" imgtool files put "$image" file /second
	imgtool files cat "$image" /second >back
	ok "$image: read again" cmp file back
	exits 0 "$image: undone" imgtool undo "$image"
	ok "$image: holds what it held" qemu-img compare d.img "$image"
done
qemu-img convert -O vmdk -o subformat=twoGbMaxExtentSparse d.img split.vmdk
imgtool files cat split.vmdk /first >back
ok "a split vmdk is read" cmp file back
qemu-img convert -O vmdk -o subformat=streamOptimized d.img stream.vmdk
imgtool files cat stream.vmdk /first >back
ok "a stream-optimized vmdk is read" cmp file back
exits 3 "but not written" imgtool files put stream.vmdk file /second
qemu-img create -q -f qcow2 -b d.img -F raw top.qcow2
imgtool files cat top.qcow2 /first >back
ok "a backing file in its folder is read" cmp file back
exits 0 "and an overlay written" imgtool files put top.qcow2 file /second
exits 8 "leaving it alone" imgtool files cat d.img /second

# ---- another host's disk; this ssh runs the command here
if command -v nbdkit >/dev/null; then
	mkdir bin
	cat >bin/ssh <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$SSH_ARGS"
for last; do :; done
exec sh -c "$last"
END
	chmod +x bin/ssh
	cp d.img "it's.img"
	SSH_ARGS=$PWD/args PATH=$PWD/bin:$PATH imgtool files cat "ssh://me@pc:2222$PWD/it's.img" /first >back
	ok "a disk behind ssh is read" cmp file back
	is "$(head -n 4 args | tr '\n' ' ')" "-p 2222 -- me@pc " "ssh is called with host and port"
	exits 3 "and not written" imgtool files put "ssh://pc$PWD/d.img" file /second
	exits 2 "an address without a path" imgtool files ls ssh://pc
else
	skip "nbdkit is not installed"
fi

# ---- references that lead elsewhere
mkdir sub
qemu-img create -q -f qcow2 -b "$PWD/d.img" -F raw sub/top.qcow2
exits 6 "a backing file in another folder" imgtool files ls sub/top.qcow2
says "*outside its folder*" "says so"
sed 's|"split-s001.vmdk"|"../d.img"|' <split.vmdk >sub/evil.vmdk
exits 6 "a vmdk extent in another folder" imgtool files ls sub/evil.vmdk
cp d.qcow2 q.img
exits 2 "magic and suffix disagree" imgtool files ls q.img
says "*--format qcow2*" "and the way out is named"
ok "which works" imgtool files ls --format qcow2 q.img
exits 2 "no such format" imgtool files ls --format floppy d.img

# ---- no good disks
: >empty.img
exits 4 "an empty file" imgtool files ls empty.img
truncate -s 1M zeros.img
exits 4 "zeros" imgtool files ls zeros.img
head -c 5000000 d.img >short.img
exits 4 "a truncated disk" imgtool files ls short.img
head -c 100000 d.qcow2 >short.qcow2
exits 4 "a truncated image" imgtool files ls short.qcow2
exits 2 "a folder" imgtool files ls .
cp d.img dirty.img
# volume flags of $Volume (record 3): the dirty bit
python3 - dirty.img <<'END'
import struct, sys
f = open(sys.argv[1], "r+b")
b = f.read(512)
for field in 48, 56:    # $MFT and its mirror
    where = struct.unpack_from("<Q", b, field)[0] * b[13] * 512 + 3 * 1024
    f.seek(where)
    r = bytearray(f.read(1024))
    at = struct.unpack_from("<H", r, 20)[0]
    while struct.unpack_from("<I", r, at)[0] != 0x70:
        at += struct.unpack_from("<I", r, at + 4)[0]
    r[at + struct.unpack_from("<H", r, at + 20)[0] + 10] |= 1
    f.seek(where)
    f.write(r)
END
ok "a dirty volume is read" imgtool files cat dirty.img /first
exits 6 "but not written" imgtool files put dirty.img file /second
says "*not shut down cleanly*" "and the remedy named"
head -c 30000000 /dev/urandom >toobig
sha256sum <d.img >before
exits 1 "a full volume" imgtool files put d.img toobig /toobig
like "$(cat err)" "*No space left*" "says so"
is "$(sha256sum <d.img)" "$(cat before)" "and the disk is as it was"

# ---- open elsewhere
if command -v qemu-system-x86_64 >/dev/null; then
	timeout 60 qemu-system-x86_64 -accel tcg -display none -S -nodefaults \
		-drive file=d.img,format=raw -drive file=d.qcow2,format=qcow2 \
		-qmp unix:qmp,server=on,wait=off </dev/null >/dev/null 2>&1 &
	guest=$!
	tries=0
	while [ ! -S qmp ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	sleep 0.3
	exits 6 "a disk that a guest runs on" imgtool files ls d.img
	says "*running guest*" "says so"
	exits 6 "an image that a guest runs on" imgtool files ls d.qcow2
	kill $guest
	wait $guest
	exits 0 "afterwards it opens" imgtool files ls d.img
else
	skip "qemu-system-x86_64 is not installed"
fi
done_testing
