#!/bin/sh
# A disk that is written while its server is killed, and what becomes of its space.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need nbdkit nbdinfo nbdcopy qemu-nbd qemu-io qemu-img fio jq
case $BUILD in
*/release | */debug | */cov) ;;
*) skip_all "nbdkit cannot load a plugin built with sanitizers" ;;
esac

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
uri="nbd+unix:///?socket=$PWD/s"

# served LAYER [SOCKET]: a server in the background, $server, that is ready
served() {
	imgtool serve d:1 --layer "$1" --socket "${2:-s}" >serve.out 2>>serve.err &
	server=$!
	while [ ! -S "${2:-s}" ] && kill -0 $server 2>/dev/null; do sleep 0.02; done
}
# worker: the process that serves
worker() { read -r pid _ <"/proc/$server/task/$server/children"; echo "$pid"; }
io() { qemu-io -f raw "$@" "$uri" </dev/null; }
kib() { du -sk "$1" | cut -f1; }
# map WHAT: bytes of the disk that are data (0) or holes (3)
map() { nbdinfo --map --json "$uri" | jq "map(select(.type == $1).length) | add // 0"; }

head -c 50000000 /dev/urandom >base.img
truncate -s 128M base.img
imgtool import --exact base.img d >/dev/null 2>&1

# ---- more chunks are read than are kept
imgtool serve d:1 --socket s >/dev/null 2>&1 &
server=$!
while [ ! -S s ]; do sleep 0.02; done
ok "random reads" fio --name=r --ioengine=nbd --uri="$uri" --rw=randread --bs=4k \
	--size=48M --iodepth=16 --number_ios=3000
kib=$(awk '/VmHWM/ { print $2 }' "/proc/$(worker)/status")
is "$((kib < 65536))" 1 "the server's memory is bounded"
kill $server
wait $server

# ---- what was acknowledged is there, however often the server dies
served lay
qemu-nbd -t -x '' -k "$PWD/front" --discard=unmap --image-opts \
	"driver=raw,file.driver=nbd,file.server.type=unix,file.server.path=$PWD/s,file.reconnect-delay=60" \
	2>front.err &
front=$!
while [ ! -S front ]; do sleep 0.02; done
(
	for _ in 1 2 3; do
		sleep 0.8
		kill -9 "$(worker)"
	done
	touch killed
) &
killer=$!
until [ -e killed ]; do
	fio --name=v --ioengine=nbd --uri="nbd+unix:///?socket=$PWD/front" \
		--rw=randwrite --bssplit=512/10:4k/50:12k/20:64k/20 --size=32M \
		--iodepth=8 --fsync=32 --verify=crc32c --verify_fatal=1 \
		--output=fio.out >/dev/null 2>&1 || break
done
wait $killer
is "$(grep -c 'err= 0' fio.out)" 1 "fio finds everything it wrote"
is "$(grep -c 'died; another one goes on' serve.err)" 3 "though the server was killed"
is "$(cat front.err)" "" "its client saw no error"
kill $front

# ---- what a map says, and what is given back
is "$(($(map 0) + $(map 3)))" 134217728 "the map covers the disk"
full=$(kib lay)
is "$((full > 25000))" 1 "the layer holds what was written"
io -c "discard 0 128M" -c flush >/dev/null
is "$(map 0)" 0 "a disk that is trimmed is a hole"
is "$(($(kib lay) < 2000))" 1 "and has given its space back"
io -c "write -P 7 1M 3M" -c "write -z 2M 1M" -c "discard 3M 64k" -c flush >/dev/null
is "$(nbdinfo --map --json "$uri" | jq -c 'map([.offset, .length, .type])')" \
	"[[0,1048576,3],[1048576,1048576,0],[2097152,1114112,3],[3211264,983040,0],[4194304,130023424,3]]" \
	"zeros and trimmed blocks are holes, and nothing else is"
io -c "read -P 7 1M 1M" -c "read -P 0 2M 1088k" -c "read -P 7 3136k 960k" >out
is "$(grep -c 'verification failed' out)" 0 "each reads as it should"
is "$(nbdinfo --json "$uri" | jq -c '.exports[0] | [.is_read_only, .can_multi_conn,
	.can_flush, .can_fua, .can_trim, .can_zero]')" \
	"[false,true,true,true,true,true]" "the server says what it can"
for _ in 1 2 3 4 5 6; do io -c "write -P 9 8M 40M" -c flush >/dev/null; done
is "$(($(kib lay) < 160000))" 1 "what is written over gives space back too"

# ---- two guests on one base, and what a dead server leaves
first=$server
served lay2 s2
second=$server
uri="nbd+unix:///?socket=$PWD/s2"
io -c "write -P 2 0 1M" -c flush >/dev/null
uri="nbd+unix:///?socket=$PWD/s"
io -c "write -P 1 0 1M" -c "write -P 4 64M 100k" -c flush >/dev/null
is "$(io -c "read -P 1 0 1M" | grep -c failed)" 0 "two guests on one base"
nbdcopy "$uri" mine.img
nbdcopy "nbd+unix:///?socket=$PWD/s2" other.img
exits 6 "a layer that is in use can not be committed" imgtool commit d:1 lay
exits 6 "nor served again" imgtool serve d:1 --layer lay --socket s4
says "*lay: layer is in use*" "which is told"
workers="$(server=$first worker) $(server=$second worker)"
# shellcheck disable=SC2086
{
	kill -9 $first $second $workers
	wait $first $second
	while kill -0 $workers; do sleep 0.02; done
} 2>/dev/null
ok "after a crash it can" imgtool commit --exact d:1 lay
is "$(tail -n1 out)" d:2 "and is the next version"
ok "so can the other" imgtool commit --exact d:1 lay2
ok "export" imgtool export d:2 got.img
is "$(sum_of got.img)" "$(sum_of mine.img)" "it is what the one guest saw"
ok "export" imgtool export --force d:3 got.img
is "$(sum_of got.img)" "$(sum_of other.img)" "and what the other saw"
ok "export" imgtool export --force d:1 got.img
is "$(sum_of got.img)" "$(sum_of base.img)" "the base is as it was"
is "$(imgtool verify >/dev/null 2>&1; echo $?)" 0 "the repository is sound"
exits 6 "a layer of another version" imgtool commit d:2 lay
exits 6 "is not served over it either" imgtool serve d:2 --layer lay --socket s4

# ---- no room
if unshare -rm mount -t tmpfs none /mnt 2>/dev/null; then
	cat >full.sh <<-'END'
	mkdir small
	mount -t tmpfs -o size=12m none small || exit 1
	imgtool serve d:1 --layer small/lay --socket s3 2>full.err & server=$!
	while [ ! -S s3 ]; do sleep 0.02; done
	uri="nbd+unix:///?socket=$PWD/s3"
	io() { qemu-io -f raw "$@" "$uri" 2>&1 </dev/null; }
	io -c 'write -P 5 0 6M' -c flush | grep -e fail -e No
	io -c 'write -P 6 8M 10M' | grep -c 'No space left'
	io -c 'read -P 5 0 6M' -c 'read -P 7 0 1' | grep -c 'verification failed'
	mount -o remount,size=40m small
	io -c 'write -P 6 8M 10M' -c flush -c 'read -P 6 8M 10M' -c 'read -P 5 0 6M' |
		grep -c -e failed -e 'No space'
	kill $server; wait $server
	imgtool serve d:1 --layer small/lay --socket s3 2>full.err & server=$!
	while [ ! -S s3 ]; do sleep 0.02; done
	io -c 'read -P 6 8M 10M' -c 'read -P 5 0 6M' | grep -c -e failed
	kill $server
	END
	is "$(unshare -rm sh full.sh | tr '\n' ' ')" "1 1 0 0 " \
		"a full disk is the guest's to know, and loses nothing"
else
	skip "no mounts of one's own here"
fi
done_testing
