#!/bin/sh
# files.sh - how fast files go into a disk and come out of it, beside its peers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# BENCH_FILES small files (5000) and one of BENCH_MIB MiB (1024), by imgtool, by
# wimlib on the same volume, and by guestfish where it is installed and
# BENCH_GUESTFISH is set (it starts an appliance); then a walk of BENCH_WALK files
# (100000), with its memory.  Ours first; the last column is the time as a ratio to
# ours.  With TMPDIR on a tmpfs it is the programs that are measured, not the disk:
# ours syncs what it writes, wimlib does not.
set -eu
TOP=$PWD
PATH=${BUILD:?}:$PATH
files=${BENCH_FILES:-5000}
mib=${BENCH_MIB:-1024}
walk=${BENCH_WALK:-100000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

# took NAME COMMAND...
ours=
took() {
	name=$1; shift
	start=$(date +%s%N)
	"$@" >/dev/null 2>log || { printf '%-34s failed: %s\n' "$name" "$(tail -n 1 log)"; return; }
	ms=$((($(date +%s%N) - start) / 1000000 + 1))
	[ -n "$ours" ] || ours=$ms
	printf '%-34s %7d ms   %5d.%02d x\n' "$name" $ms \
		$((ms / ours)) $((ms * 100 / ours % 100))
}
peer() { command -v "$1" >/dev/null || { echo "$1: not installed"; return 1; }; }
volume() {
	rm -rf "$1" "$1.undo"
	truncate -s $((mib * 2 + 512))M "$1"
	mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 "$1" >/dev/null 2>&1
}
fish() {
	LIBGUESTFS_BACKEND=direct timeout 900 guestfish -a "$1" run : mount /dev/sda / : "$2" "$3" "$4"
}

# many DIR COUNT BYTES: files of less than BYTES
many() {
	python3 - "$@" <<'END'
import os, sys
top, count, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(count):
    d = "%s/%d" % (top, i // 200)
    os.makedirs(d, exist_ok=True)
    with open("%s/file number %d.txt" % (d, i), "w") as f:
        f.write("x" * (i * 37 % most))
END
}
many small "$files" 3000
mkdir big
head -c "${mib}M" /dev/urandom >big/one

for what in small big; do
	volume ours.img
	echo "$what: into the volume"
	ours=; took imgtool imgtool files put ours.img $what /
	if peer wimcapture; then
		wimcapture $what $what.wim --compress=none >/dev/null 2>&1
		volume theirs.img
		took wimapply wimapply $what.wim theirs.img
	fi
	if [ -n "${BENCH_GUESTFISH:-}" ] && peer guestfish; then
		volume fish.img
		took "guestfish copy-in" fish fish.img copy-in $what /
	fi
	imgtool undo --drop --yes -q ours.img
	echo "$what: names and facts of all"
	ours=; took imgtool imgtool files ls -l -R ours.img /
	peer fls && took "sleuthkit fls -l -r" fls -l -r ours.img
	echo "$what: out of the volume"
	ours=; took imgtool imgtool files get ours.img "/$what" out
	rm -rf out
	peer wimcapture && took wimcapture wimcapture ours.img out.wim --compress=none
	rm -f out.wim
done

echo "$walk files: names and facts of all"
many walk "$walk" 600
volume ours.img
imgtool files put -q ours.img walk /
imgtool undo --drop --yes -q ours.img
python3 "$TOP/tests/measure.py" --runs 1 \
	imgtool "imgtool files ls -l -R ours.img /" \
	"wimcapture, which reads them too" "wimcapture ours.img walk.wim --compress=none" \
	"sleuthkit fls -l -r" "fls -l -r ours.img"
