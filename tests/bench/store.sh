#!/bin/sh
# store.sh - how fast the store takes and gives, beside its peers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# One disk of DATA MiB of this machine's own programs, its next version with a
# few of them changed, each by every tool that is installed; in MB/s of disk,
# and as a ratio to ours.  BENCH_MIB=n sets the size.
set -eu
PATH=${BUILD:?}:$PATH
mib=${BENCH_MIB:-1024}
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

tar cf - -C / usr/lib usr/bin usr/share 2>/dev/null | head -c "${mib}M" >one.img
truncate -s "${mib}M" one.img
cp one.img two.img
n=1
while [ $n -le 40 ]; do	# forty places of 256 KiB
	head -c 262144 /dev/urandom | dd of=two.img bs=262144 conv=notrunc \
		seek=$((n * mib / 11)) 2>/dev/null
	n=$((n + 1))
done

# took NAME COMMAND...: seconds, and MB/s of the disk
ours=
took() {
	name=$1; shift
	start=$(date +%s%N)
	"$@" >/dev/null 2>log || { printf '%-34s failed: %s\n' "$name" "$(tail -n 1 log)"; return; }
	ms=$((($(date +%s%N) - start) / 1000000 + 1))
	[ -n "$ours" ] || ours=$ms
	printf '%-34s %7d ms %7d MB/s   %5d.%02d x\n' "$name" $ms \
		$((mib * 1048 / ms)) $((ms / ours)) $((ms * 100 / ours % 100))
}
size() { du -sm "$1" | cut -f 1; }
peer() { command -v "$1" >/dev/null || { echo "$1: not installed"; return 1; }; }

export IMGTOOL_REPO="$dir/repo" IMGTOOL_KEY="$dir/admin"
imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1

echo "import of $mib MiB, new"
ours=; took imgtool imgtool import one.img disk
qcow() { qemu-img convert -c -O qcow2 one.img one.qcow2; }
peer qemu-img && took "qemu-img convert -c" qcow
if peer restic; then
	export RESTIC_PASSWORD=x
	restic init -q -r restic >/dev/null
	took restic restic -q -r restic backup one.img
fi
if peer borg; then
	export BORG_PASSPHRASE=x BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
	borg init -e repokey-blake2 borg
	took borg borg create -C zstd,1 borg::1 one.img
fi
peer casync && took casync casync make --store=castr one.caibx one.img
echo "stored: imgtool $(size repo) MiB, qcow2 $(size one.qcow2) MiB"

echo "the next version of it"
ours=; took imgtool imgtool import two.img disk
[ ! -d restic ] || took restic restic -q -r restic backup two.img
[ ! -d borg ] || took borg borg create -C zstd,1 borg::2 two.img
[ ! -d castr ] || took casync casync make --store=castr two.caibx two.img

echo "the same again"
ours=; took imgtool imgtool import two.img disk

echo "export, everything checked (nbdkit: the plain file, not checked)"
ours=; took imgtool imgtool export --to raw disk:1 out.raw
[ ! -d restic ] || took restic restic -q -r restic restore latest --target out
[ ! -d borg ] || took borg borg extract --stdout borg::1
[ ! -d castr ] || took casync casync extract --store=castr one.caibx out.ca
# shellcheck disable=SC2016
plain() {
	rm -f out.raw
	nbdkit -U - -r file one.img --run 'nbdcopy "$uri" out.raw'
}
peer nbdkit && peer nbdcopy && took "nbdkit file" plain

echo "verify"
ours=; took "imgtool verify" imgtool verify
took "imgtool verify --keyless" imgtool verify --keyless

echo "one 512-byte read, a hundred versions deep"
head -c 16777216 one.img >deep.img
n=1
while [ $n -le 100 ]; do
	head -c 4096 /dev/urandom | dd of=deep.img bs=4096 seek=$n conv=notrunc 2>/dev/null
	imgtool import deep.img deep >/dev/null 2>&1
	n=$((n + 1))
done
first() { imgtool files ls "deep:$1" / >/dev/null 2>&1 || :; }
ours=; took "open deep:1" first 1
took "open deep:100" first 100
