#!/bin/sh
# A stored version as a network block device, read by other people's clients.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need python3 nbdkit nbdinfo nbdcopy qemu-img qemu-io jq
case $BUILD in
*/release | */debug | */cov) ;;
*) skip_all "nbdkit cannot load a plugin built with sanitizers" ;;
esac

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o other >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
uri="nbd+unix:///?socket=$PWD/s"

# served ARGUMENT...: a server in the background, $server, that is ready
served() {
	imgtool serve "$@" --socket s >serve.out 2>serve.err &
	server=$!
	while [ ! -S s ] && kill -0 $server 2>/dev/null; do sleep 0.02; done
}
ended() { kill $server 2>/dev/null; wait $server; }

guest disk.img xp
ok "import" imgtool import --exact disk.img xp
served xp
like "$(cat serve.err)" "*s: xp:1, *bytes, read only" "tells what it serves"
is "$(stat -c %a s)" 600 "to its user only"
ok "the disk is the one that was imported" \
	qemu-img compare -f raw -F raw disk.img "$uri"
nbdinfo --json "$uri" | jq -r '.exports[0] |
	."export-size", .is_read_only, .can_multi_conn' >out
is "$(tr '\n' ' ' <out)" "$(stat -c %s disk.img) true true " \
	"size, read only, several connections"
ok "copied by many connections" nbdcopy --connections=4 "$uri" copy.img
is "$(sum_of copy.img)" "$(sum_of disk.img)" "it is the same"
# every byte that the map calls a hole reads as zeros: nbdcopy left those out
is "$(nbdinfo --map --json "$uri" | jq 'map(.length) | add')" \
	"$(stat -c %s disk.img)" "the map covers the disk"
is "$(($(nbdinfo --map --json "$uri" | jq 'map(select(.type == 0).length) | add') <
	$(stat -c %s disk.img) / 4))" 1 "and knows what is not stored"
ok "a disk of ours is read through it" imgtool inspect "$uri"

cat >flush.py <<'P'
import socket, struct
s = socket.socket(socket.AF_UNIX)
s.connect("s")
take = lambda n: s.recv(n, socket.MSG_WAITALL)
take(18)			# greeting
s.sendall(struct.pack(">I", 3))	# fixed newstyle, no zeros
s.sendall(b"IHAVEOPT" + struct.pack(">II", 1, 0))	# export ""
take(10)			# size, flags
s.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 3, 77, 0, 0))
print(struct.unpack(">IIQ", take(16))[1:])
P
is "$(python3 flush.py)" "(0, 77)" "a client that only reads may flush"
exits 6 "a socket that is in use" imgtool serve xp --socket s
says "*s: somebody serves*" "is refused"
read -r worker _ <"/proc/$server/task/$server/children"
is "$(tr '\0' '\n' <"/proc/$worker/cmdline" | grep -c "$(sed -n '$p' admin)")" 0 \
	"the key is on no command line"
kill -9 "$worker"
ok "a server that dies is followed by another" nbdinfo "$uri"
like "$(cat serve.err)" "*died; another one goes on" "which is told"
ended
is $? 0 "ends when asked to"
is "$(ls -d s ./*.sock 2>/dev/null)" "" "and its socket with it"

served xp:1
kill -9 "$server"	# its server ends with it; the name stays
wait $server 2>/dev/null
is "$([ -S s ] && echo there)" there "a socket that nobody serves"
rm -f serve.err
mv s stale
served xp:1
ended
mv stale s
imgtool serve xp:1 --socket s 2>serve.err &
server=$!
for _ in $(seq 250); do
	grep -q 'xp:1' serve.err && break
	sleep 0.02
done
ok "is replaced" nbdinfo "$uri"
ended

exits 8 "no such version" imgtool serve xp:7 --socket s
says "*xp:7: no such version*" "is told"
exits 5 "a key that does not open it" imgtool serve xp --socket s -k other
exits 2 "no socket" imgtool serve xp
touch s
exits 2 "a file in its place" imgtool serve xp --socket s
is "$(wc -c <s)" 0 "stays"
rm s
exits 2 "a path that no socket can have" imgtool serve xp \
	--socket "$PWD/$(printf '%0120d' 0)"
is "$(ls -d s* 2>/dev/null)" "serve.err
serve.out" "and nothing is left behind"
done_testing
