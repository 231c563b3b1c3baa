#!/bin/sh
# Disks that are cut, damaged, in use or dying are refused, and stay as they were.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img qemu-nbd mkntfs sgdisk

truncate -s 12M d.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 d.img >/dev/null 2>&1
head -c 8000000 /dev/urandom >file
echo small >small
imgtool files put d.img file /first
imgtool undo --drop --yes -q d.img

# ---- cut: what QEMU itself would read as zeros
cut_off() {
	cp "$1" whole
	for bytes in 3000000 6000000; do
		truncate -s "-$bytes" "$1"
		exits 4 "$1 without its last $bytes bytes" imgtool files cat "$3" /first
		says "*truncated*" "$2: says so"
		cp whole "$1"
	done
	imgtool files cat "$3" /first >back
	ok "$2: whole again" cmp file back
}
for f in qcow2:qcow2 vmdk:vmdk vdi:vdi vhd:vpc; do
	image=cut.${f%:*} q=${f#*:}
	opts=
	[ "$q" != vpc ] || opts=force_size=on
	qemu-img convert -O "$q" ${opts:+-o "$opts"} d.img "$image"
	cut_off "$image" "$image" "$image"
done
qemu-img convert -O vhdx d.img cut.vhdx
truncate -s 10M cut.vhdx
exits 4 "a cut vhdx" imgtool files cat cut.vhdx /first
says "*truncated*" "says so"
qemu-img convert -O vmdk -o subformat=twoGbMaxExtentSparse d.img split.vmdk
cut_off split-s001.vmdk "a split vmdk" split.vmdk
qemu-img convert -O vmdk -o subformat=twoGbMaxExtentFlat d.img flat.vmdk
cut_off flat-f001.vmdk "a flat vmdk" flat.vmdk
rm split-s001.vmdk
exits 1 "a split vmdk without its part" imgtool files ls split.vmdk
says "*split-s001.vmdk*No such file*" "names the part"
qemu-img convert -c -O qcow2 d.img c.qcow2
imgtool files cat c.qcow2 /first >back
ok "a compressed qcow2 is no cut one" cmp file back
qemu-img convert -O qcow2 -o extended_l2=on,cluster_size=128k d.img x.qcow2
imgtool files cat x.qcow2 /first >back
ok "nor is one with parts of clusters" cmp file back
qemu-img create -q -f qcow2 -b x.qcow2 -F qcow2 top.qcow2
truncate -s -3000000 x.qcow2
exits 4 "a cut backing file" imgtool files cat top.qcow2 /first

# ---- tables that lie
table() { python3 - "$@" <<-'PY'
	import struct, sys
	f = open(sys.argv[1], "r+b")
	for x in sys.argv[2:]:      # SECTOR:SLOT:TYPE:START:COUNT
	    at, slot, kind, start, count = map(int, x.split(":"))
	    f.seek(at * 512 + 446 + 16 * slot)
	    f.write(struct.pack("<B3xB3xII", 0, kind, start, count))
	    f.seek(at * 512 + 510)
	    f.write(b"\x55\xaa")
	PY
}
truncate -s 4M chain.img
table chain.img 0:0:15:1000:7000 1000:0:7:63:100 1000:1:5:500:600 1500:1:5:0:600
exits 4 "a chain that loops" imgtool inspect chain.img
says "*logical partitions loops" "says so"
table chain.img 1500:1:5:9000:600
exits 4 "a chain that leaves the disk" imgtool inspect chain.img
says "*leaves the disk" "says so"
truncate -s 20M gpt.img
sgdisk -n 1:2048:+12M gpt.img >/dev/null
dd if=d.img of=gpt.img bs=1M seek=1 conv=notrunc 2>/dev/null
spoil() { printf X | dd of=gpt.img bs=1 seek="$1" conv=notrunc 2>/dev/null; }
spoil 568	# of the first header: its CRC is wrong now
imgtool files cat gpt.img /first >back
ok "the second GPT serves when the first's CRC is wrong" cmp file back
spoil $((20 * 1048576 - 512 + 56))
exits 4 "both GPTs damaged" imgtool files ls gpt.img
says "*both copies of its GPT are damaged" "says so"

# ---- in use, by locks as QEMU takes them
python3 - d.img <<'END_PY' >locked &
import fcntl, struct, sys, time
f = open(sys.argv[1], "rb")
F_OFD_SETLK = 37
for byte in 100, 201:     # reads; lets nobody write
    fcntl.fcntl(f, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, byte, 1, 0))
print("locked", flush=True)
time.sleep(60)
END_PY
holder=$!
while [ ! -s locked ]; do sleep 0.05; done
exits 0 "a disk that another program reads is read" imgtool files ls d.img
exits 6 "but not written" imgtool files put d.img small /second
says "*in use by another program*" "says so"
kill $holder
wait $holder 2>/dev/null

# ---- a device that lets nobody write
if loop=$(losetup -f --show -r d.img 2>/dev/null); then
	exits 0 "a read-only device is read" imgtool files ls --state state "$loop"
	imgtool files put --state state "$loop" small /second >out 2>err
	is $? 1 "but not written"
	says "*$loop: *" "names it"
	losetup -d "$loop"
else
	skip "no loop devices here"
fi

# ---- an older image beside the logs of a newer one
cp d.img backup
imgtool files put -q d.img small /second
imgtool files put -q d.img small /third
cat backup >d.img
sum_of d.img >before
exits 6 "a log of a later image is not undone" imgtool undo d.img
says "*if the disk was replaced: imgtool undo --drop --force*" "with the remedy"
is "$(sum_of d.img)" "$(cat before)" "and the disk is as it was"
exits 0 "the remedy" imgtool undo --drop --force --yes d.img
exits 8 "after which nothing is to be undone" imgtool undo d.img
is "$(sum_of d.img)" "$(cat before)" "and the disk still is"
done_testing
