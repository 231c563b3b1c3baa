#!/bin/sh
# block.sh - how fast a stored version is as a block device, beside its peers
# SPDX-License-Identifier: GPL-3.0-or-later
#
# One disk of BENCH_MIB MiB of this machine's own programs, served from the repository
# by imgtool, and as a raw file by nbdkit and qemu-nbd; read by fio and nbdcopy
# through the same kind of socket, in IOPS and MB/s, and as a ratio to ours.
# Budgets: cold 10,000 and hot 50,000 IOPS,
# sequential 1,000 MB/s, memory 64 MiB, opening an image 10 ms.
set -eu
PATH=${BUILD:?}:$PATH
for program in nbdkit fio nbdcopy qemu-nbd jq; do
	command -v $program >/dev/null || { echo "block: $program: not installed"; exit 0; }
done
mib=${BENCH_MIB:-1024}
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"

tar cf - -C / usr/lib usr/bin usr/share 2>/dev/null | head -c "${mib}M" >one.img
truncate -s "${mib}M" one.img
export IMGTOOL_REPO="$dir/repo" IMGTOOL_KEY="$dir/admin"
imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
imgtool import --exact one.img disk >/dev/null 2>&1

# wait_for SOCKET
wait_for() { while [ ! -S "$1" ]; do sleep 0.02; done; }
imgtool serve disk --socket ours >/dev/null 2>&1 &
server=$!
pids=$server
imgtool serve disk --layer lay --socket layer >/dev/null 2>&1 &
pids="$pids $!"
nbdkit -f -U "$dir/nbdkit" file one.img &
pids="$pids $!"
nbdkit -f -U "$dir/memory" memory "${mib}M" &
pids="$pids $!"
qemu-nbd -r -t -f raw -e 8 -k "$dir/qemu-nbd" one.img &
pids="$pids $!"
qemu-img create -q -f qcow2 -b one.img -F raw over.qcow2
qemu-nbd -t -f qcow2 -e 8 -k "$dir/qcow2" over.qcow2 &
pids="$pids $!"
for socket in ours layer nbdkit memory qemu-nbd qcow2; do wait_for $socket; done

ours=
# row NAME NUMBER UNIT
row() {
	[ -n "$ours" ] || ours=$2
	printf '%-34s %9d %-5s %5d.%02d x\n' "$1" "$2" "$3" $(($2 / ours)) \
		$(($2 * 100 / ours % 100))
}
# iops SOCKET RW SIZE: of four seconds after one that does not count
iops() {
	fio --name=b --ioengine=nbd --uri="nbd+unix:///?socket=$dir/$1" \
		--rw="$2" --bs=4k --size="$3" --iodepth=32 --time_based \
		--ramp_time=1 --runtime=4 --randrepeat=0 --norandommap \
		--output-format=json 2>/dev/null | sed -n '/^{/,$p' |
		jq '.jobs[0] | (.read.iops + .write.iops) | floor + 1'
}
peers() {	# peers NAME RW SIZE SOCKET...
	echo "$1"
	ours=
	what=$2 size=$3
	shift 3
	for socket; do row "$socket" "$(iops "$socket" "$what" "$size")" IOPS; done
}
# the server's memory, in MiB
memory() {
	read -r worker _ <"/proc/$server/task/$server/children" || :
	awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$worker/status"
}

peers "random 4 KiB reads, all of the disk (cold)" randread "${mib}M" \
	ours nbdkit qemu-nbd
peers "random 4 KiB reads of 16 MiB (hot)" randread 16M ours nbdkit qemu-nbd
peers "random 4 KiB writes" randwrite 256M layer memory qcow2
peers "random 4 KiB reads of what was written" randread 256M layer memory qcow2

echo "all of it in order"
ours=
for socket in ours nbdkit qemu-nbd; do
	best=0
	for _ in 1 2 3; do
		start=$(date +%s%N)
		nbdcopy "nbd+unix:///?socket=$dir/$socket" null:
		ms=$((($(date +%s%N) - start) / 1000000 + 1))
		now=$((mib * 1048 / ms))
		[ $now -le $best ] || best=$now
	done
	row "$socket" $best MB/s
done

echo "memory of our server: $(memory) MiB"

# What an image takes to open, beside what starting any of our programs takes.
echo "opening an image"
quickest() { # quickest COMMAND...: the fastest of ten, in microseconds
	best=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		start=$(date +%s%N)
		"$@" >/dev/null 2>&1 || :	# no Windows there
		us=$((($(date +%s%N) - start) / 1000))
		[ -n "$best" ] && [ "$best" -le $us ] || best=$us
	done
	echo "$best"
}
printf '%-34s %9d us\n' "imgtool --version (starts)" \
	"$(quickest imgtool --version)"
printf '%-34s %9d us\n' "imgtool log (one manifest)" "$(quickest imgtool log disk)"
printf '%-34s %9d us\n' "imgtool inspect (opens the image)" \
	"$(quickest imgtool inspect disk)"
