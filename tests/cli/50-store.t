#!/bin/sh
# The repository: what goes in comes out, and nothing else is ever served.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img

same() { qemu-img compare -s -f raw -F raw "$1" "$2" >/dev/null 2>&1; }
quietly() { "$@" >/dev/null 2>&1 </dev/null; }
quietly imgcrypt keygen --no-passphrase -o admin
quietly imgcrypt keygen --no-passphrase -o stranger
ok "init" imgtool init repo -R admin.pub
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
exits 2 "init refuses a directory in use" imgtool init repo -R admin.pub
exits 2 "init needs a recipient" imgtool init other

# ---- in and out, exactly ----
for kind in xp vista win7 win10; do
	guest $kind.img $kind || continue
	ok "$kind: import --exact" imgtool import --exact $kind.img $kind
	is "$(cat out)" "$kind:1" "$kind: prints the version"
	for format in raw qcow2 vhd vhdx vmdk vdi; do
		qemu=$format options=
		[ $format != vhd ] || qemu=vpc options='-o force_size=on'
		imgtool export -q $kind:1 out.$format
		# Strictly means size and holes too, which each format keeps in
		# its own way: the judge is what qemu-img makes of the disk.
		# shellcheck disable=SC2086
		qemu-img convert -f raw -O $qemu $options $kind.img want.$format
		ok "$kind: $format is strictly the same disk" \
			qemu-img compare -s -f $qemu -F $qemu want.$format out.$format
		rm -f out.$format want.$format
	done
done

# ---- what is known is not stored again ----
size() { find repo/packs -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }
before=$(size)
ok "the same disk again" imgtool import --exact win7.img win7
is "$(cat out)" "win7:2" "is the next version"
is "$(($(size) - before < 100000))" 1 "and stores next to nothing"
ok "a disk under another name" imgtool import --parent win7:1 xp.img other
exits 8 "a parent that is not there" imgtool import --parent win7:9 xp.img other
says "*win7:9: no such version*" "the missing parent is named"
ok "a version of a version" imgtool import win7:1 again
ok "images" imgtool images
like "$(cat out)" "*win7 *" "lists them"
ok "log" imgtool log --json win7
is "$(jq -r '.versions[0].version, .versions[0].parent, .versions[1].version' out | tr '\n' ' ')" \
	"2 win7:1 1 " "log tells versions and parents"
ok "images needs no key" env -u IMGTOOL_KEY imgtool images
exits 8 "log of nothing" imgtool log nothing
exits 2 "a name that is none" imgtool import xp.img ../xp

# ---- nothing of the guests can be read in the repository ----
ok "100 plaintexts of the guests" \
	python3 "$TOP/tests/plaintexts.py" 100 repo xp.img win7.img
like "$(cat out)" "100 plaintexts, [0-9]* files, [0-9]* bytes" \
	"none is in the repository, as UTF-8 or UTF-16"
rm -rf bare && cp -r repo bare && cp --sparse=always xp.img bare/
ok "where they are" python3 "$TOP/tests/plaintexts.py" 100 bare xp.img win7.img
is "$(($(wc -l <out) > 50))" 1 "they would be found"
rm -rf bare

# ---- keys ----
exits 5 "a stranger's key exports nothing" \
	env IMGTOOL_KEY="$PWD/stranger" imgtool export win7:1 stolen.raw
is "$(ls stolen* 2>/dev/null)" "" "and leaves nothing behind"
exits 5 "nor imports" env IMGTOOL_KEY="$PWD/stranger" imgtool import xp.img xp
exits 5 "nor verifies" env IMGTOOL_KEY="$PWD/stranger" imgtool verify
exits 0 "but anybody can check without a key" env -u IMGTOOL_KEY imgtool verify --keyless
exits 2 "without a key, verify says how" env -u IMGTOOL_KEY imgtool verify
ok "verify" imgtool verify
like "$(cat out)" "*: 0 faults" "finds nothing"

quietly imgcrypt keygen --no-passphrase -o client
ok "a client is let into one image" imgcrypt recipients add win7 -R client.pub
ok "and opens it" env IMGTOOL_KEY="$PWD/client" imgtool export win7:1 its.raw
ok "the disk is whole" same its.raw win7.img
rm -f its.raw
for other in xp vista win10 other again noise; do
	[ -e repo/refs/$other ] || continue
	env IMGTOOL_KEY="$PWD/client" imgtool export $other:1 its.raw >/dev/null 2>err
	[ $? = 5 ] || echo "$other: $(cat err)"
done >opened
is "$(cat opened)" "" "but no other"
ok "it verifies what it can" env IMGTOOL_KEY="$PWD/client" imgtool verify
like "$(cat err)" "*not open to this key*" "and is told that this is not all"
exits 5 "it imports nothing" env IMGTOOL_KEY="$PWD/client" imgtool import xp.img xp

# ---- outputs ----
echo mine >taken.raw
exits 2 "export refuses an existing file" imgtool export win7:1 taken.raw
is "$(cat taken.raw)" mine "which stays"
exits 2 "export needs to know the format" imgtool export win7:1 what
ok "export --force --to" imgtool export --force --to raw win7:1 taken.raw
ok "is the disk" same taken.raw win7.img
rm -f taken.raw
(ulimit -f 1000; trap '' XFSZ; imgtool export win7:1 full.raw >out 2>err </dev/null)
is $? 1 "a full disk is an error"
is "$(ls full* 2>/dev/null)" "" "and leaves nothing behind"

# ---- a device ----
truncate -s 40M device.img
head -c 1000000 /dev/urandom | dd of=device.img bs=4096 seek=30 conv=notrunc 2>/dev/null
head -c 30000001 /dev/urandom >odd.img
dd if=/dev/zero of=odd.img bs=1M seek=5 count=10 conv=notrunc 2>/dev/null
imgtool import odd.img odd >/dev/null 2>&1
if loop=$(losetup --show -f device.img 2>/dev/null); then
	exits 2 "a device is not overwritten unasked" imgtool export odd "$loop"
	like "$(cat err)" "*--yes*" "and says how to answer in a script"
	exits 2 "a device is raw" imgtool export --yes --to qcow2 odd "$loop"
	exits 6 "one that is too small" imgtool export --yes win7:1 "$loop"
	ok "export onto a device" imgtool export --yes odd "$loop"
	ok "it holds the disk" cmp -n 30000001 odd.img "$loop"
	losetup -d "$loop"
else
	skip "no loop device can be made here"
fi
rm -f device.img odd.img

# ---- not a disk ----
exits 1 "a file that is not there" imgtool import ./missing.img x
head -c 1000 /dev/urandom >noise.img
ok "what has no partitions is taken as it is" imgtool import noise.img noise
ok "its size is kept" imgtool export noise:1 noise.raw
ok "to the byte" cmp noise.raw noise.img

# ---- interrupted ----
imgtool init killed -R admin.pub >/dev/null 2>&1
IMGTOOL_REPO=$PWD/killed
head -c 100000000 /dev/urandom >big.img
for delay in 0.05 0.2 0.4; do
	imgtool import big.img big >/dev/null 2>&1 &
	sleep $delay
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
done
[ -e killed/refs/big/1 ] || exits 8 "a killed import is no version" imgtool log big
[ ! -e killed/refs/big/1 ] || skip "this machine is too fast to be interrupted"
ok "the import again" imgtool import big.img big
ok "verify after it" imgtool verify
is "$(find killed -name '*.tmp.*')" "" "what was unfinished is gone"
ok "export" imgtool export big out.raw
ok "is the disk that was imported" cmp out.raw big.img
(ulimit -f 20000; trap '' XFSZ; imgtool import win7.img win7 >out 2>err </dev/null
 imgtool import big.img full >out 2>err </dev/null)
ok "a full disk during an import harms nothing" imgtool verify

# ---- two writers ----
python3 - killed/lock <<-'END' >locked &
	import fcntl, os, struct, sys, time
	fd = os.open(sys.argv[1], os.O_RDWR)
	fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
	print("locked", flush=True)
	time.sleep(20)
END
holder=$!
while [ ! -s locked ]; do sleep 0.05; done
exits 6 "a second writer is refused" imgtool import xp.img xp
says "*somebody else is writing*" "and told why"
ok "readers are not" imgtool verify big
kill $holder
wait $holder 2>/dev/null

# ---- damage ----
IMGTOOL_REPO=$PWD/repo
flip() {	# FILE OFFSET: one bit
	python3 -c '
import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)[0]
f.seek(int(sys.argv[2])); f.write(bytes([b ^ 16]))' "$1" "$2"
}
pack=$(find repo/packs -name '*.pack' -size +20k | head -n 1)
flip "$pack" 5000
exits 8 "a bit flipped in a pack is found" imgtool verify
like "$(cat out)" "*${pack#repo/}*" "and the pack named"
exits 8 "also without a key" imgtool verify --keyless
for n in xp vista win7 win10 other; do
	imgtool export --force $n:1 out.raw >/dev/null 2>err </dev/null
	case $? in
	0) same out.raw $n.img || [ $n = other ] || echo "$n: served" ;;
	4 | 5 | 8) ;;
	*) cat err ;;
	esac
done >served
is "$(cat served)" "" "damage is never served"
flip "$pack" 5000
ok "whole again" imgtool verify
line=$(find repo/keys -name '*.line' | head -n 1)
flip "$line" 110
exits 8 "a bit flipped in the key of an image is found" imgtool verify
like "$(cat out)" "*${line#repo/}*" "and named"
flip "$line" 110
manifest=$(find repo/versions -name "$(cat repo/refs/win7/2).version")
flip "$manifest" 200
exits 8 "a bit flipped in a manifest is found" imgtool verify
exits 4 "and the version refused" imgtool export --force win7:2 out.raw
ok "the others stay" imgtool export --force win7:1 out.raw
flip "$manifest" 200
cp repo/refs/win7/1 repo/refs/win7/2
exits 5 "an older version in a newer one's place is refused" \
	imgtool export --force win7:2 out.raw
done_testing
