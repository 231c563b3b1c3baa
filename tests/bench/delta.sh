#!/bin/sh
# delta.sh - how large and how quick a delta is, beside its peers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Two NTFS volumes: BENCH_FILES of this machine's own programs, and the next
# version, where each has bytes put into its middle and lies elsewhere, as files
# do after an update.  BENCH_FILES=n sets how many.
set -eu
PATH=${BUILD:?}:$PATH
for tool in mkntfs ntfscp; do
	command -v $tool >/dev/null || { echo "delta: $tool is not installed"; exit 0; }
done
files=${BENCH_FILES:-150}
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

mkdir old new
find /usr/bin /usr/lib -xdev -type f -size +30k -size -3000k 2>/dev/null | sort |
	awk -v n="$files" '{ line[NR] = $0 } END { step = NR / n
		for (i = 0; i < n; i++) print line[int(i * step) + 1] }' >list
n=0
while read -r path; do
	n=$((n + 1))
	cp "$path" old/$n.dll
	half=$(($(stat -c %s "$path") / 2))
	{ head -c $half "$path"; echo "version two of $n"; tail -c +$((half + 1)) "$path"; } >new/$n.dll
done <list
mib=$(($(du -sm new | cut -f 1) + 40))
for v in old new; do
	truncate -s ${mib}M $v.img
	mkntfs -q -F -p 0 $v.img >/dev/null 2>&1
done
for f in old/*; do ntfscp -q old.img "$f" "${f#old/}"; done
head -c 5000000 /dev/zero | tr '\0' x >filler
ntfscp -q new.img filler filler
for f in $(printf '%s\n' new/* | sort -r); do ntfscp -q new.img "$f" "${f#new/}"; done

# took NAME FILE COMMAND...: the size of what it made, and how long that took
took() {
	name=$1 made=$2; shift 2
	start=$(date +%s%N)
	"$@" >/dev/null 2>log || { printf '%-34s failed: %s\n' "$name" "$(tail -n 1 log)"; return; }
	ms=$((($(date +%s%N) - start) / 1000000 + 1))
	printf '%-34s %12d bytes %8d ms\n' "$name" "$(stat -c %s "$made")" $ms
}
peer() { command -v "$1" >/dev/null || { echo "$1: not installed"; return 1; }; }

imgcrypt keygen --no-passphrase -o key >/dev/null
echo "delta of $n files in $mib MiB, each with an insertion and moved"
for effort in fast default max; do
	took "imgdelta --effort $effort" d.$effort imgdelta create old.img new.img \
		-R key.pub -o d.$effort --effort $effort
done
took "imgdelta apply" out.img imgdelta apply d.default -k key --base old.img -o out.img
cmp out.img new.img
# shellcheck disable=SC2317 # took calls it
pairs() {
	: >pairs
	for f in new/*; do zstd -3 -q -c --patch-from="old/${f#new/}" "$f" >>pairs; done
}
peer zstd && took "zstd -3 --patch-from, pair by pair" pairs pairs
peer zstd && took "zstd -3 --patch-from, image" image.zst \
	zstd -3 -q -f --long=31 --patch-from=old.img new.img -o image.zst
peer xdelta3 && took "xdelta3" image.vcdiff xdelta3 -e -f -s old.img new.img image.vcdiff
exit 0
