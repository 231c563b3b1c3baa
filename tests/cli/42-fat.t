#!/bin/sh
# FAT volumes are read, as mtools wrote them.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need mformat mcopy mmd
MTOOLS_SKIP_CHECK=1
export MTOOLS_SKIP_CHECK

mkdir -p tree/EFI/Microsoft/Boot "tree/A long folder name"
head -c 300000 /dev/urandom >tree/EFI/Microsoft/Boot/BCD
echo short >tree/AUTOEXEC.BAT
echo lower >tree/config.sys
echo long >"tree/A long folder name/Ünïcode näme that is long enough for three pieces.txt"
: >tree/empty
n=0
mkdir tree/many
while [ $n -lt 300 ]; do echo $n >"tree/many/file number $n.txt"; n=$((n + 1)); done

# kind SIZE_IN_SECTORS MFORMAT_OPTIONS
check() {
	kind=$1 sectors=$2; shift 2
	rm -f f.img
	mformat -C -i f.img -T "$sectors" -h 16 -s 63 "$@" -v HALCYON ::
	mcopy -s -Q -m -i f.img tree/* ::
	exits 0 "$kind: ls" imgtool files ls -R f.img
	(cd tree && find . -mindepth 1 | sed 's|^\./||' | sort) >want
	is "$(sort out | diff - want)" "" "$kind: every name"
	rm -rf back
	exits 0 "$kind: get" imgtool files get f.img / back
	is "$(diff -r tree back)" "" "$kind: every byte"
	is "$(imgtool files cat f.img 'a LONG folder NAME\ünïcode NÄME that is long enough for three pieces.txt')" \
		long "$kind: names without case"
	is "$(imgtool files cat f.img /MANY/FILENU~7.TXT 2>/dev/null | wc -l | tr -d ' ')" 1 \
		"$kind: short names"
	exits 3 "$kind: is not written natively" imgtool files put --engine native f.img want /want
}
check FAT12 2880
check FAT16 65536
check FAT32 163840 -F

# times are what the PC's clock said
TZ=UTC touch -d '2011-05-16T10:20:30Z' stamp
TZ=UTC mcopy -m -i f.img stamp ::
like "$(imgtool files stat f.img stamp)" "*modified	2011-05-16T10:20:30*" "times"

# a file whose chain of clusters bites its tail
python3 - f.img <<'END'
import struct, sys
f = open(sys.argv[1], "r+b")
b = f.read(512)
reserved, = struct.unpack_from("<H", b, 14)
f.seek(reserved * 512)
t = bytearray(f.read(64 << 10))
# the longest chain is BCD's: its end leads back
chain = [i for i in range(3, 8000) if struct.unpack_from("<I", t, 4 * i)[0] == i + 1]
struct.pack_into("<I", t, 4 * chain[-20], chain[-50])
f.seek(reserved * 512)
f.write(t)
END
exits 4 "a chain that loops" imgtool files get f.img / damaged
says "*chain of clusters*" "says so"
truncate -s 20M f.img
exits 4 "a truncated volume" imgtool files ls f.img

guest d.img win10
exits 0 "an EFI system partition" imgtool inspect d.img
like "$(cat out)" "*partition 1: FAT, 100 MiB, *EFI system partition
*" "is opened"
done_testing
