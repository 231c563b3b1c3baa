#!/bin/sh
# 90-linux-guest.t - a small Linux on each machine, from a client's repository
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Emulated, a start takes some seconds.
. tests/tap.sh
need qemu-system-x86_64 nbdkit jq
case $BUILD in
*/release | */debug | */cov) ;;
*) skip_all "nbdkit cannot load a plugin built with sanitizers" ;;
esac

state=$PWD/state
guests='xp vista win7 win10 win11 busy nat restricted'
run() { verb=$1; shift; timeout 120 imgrun "$verb" --state "$state" "$@"; }
start() { run start -q "$1" --passphrase-fd 0 <secret; }
field() { run status "$1" --json | jq -r ".guests[0].$2"; }
serial() { tr -d '\r' <"$state/guests/$1/serial.log" 2>/dev/null; }
acked() { serial "$1" | sed -n 's/^ACK //p' | tail -n 1; }
end() { for g in $guests; do run stop --force -q "$g" 2>/dev/null; done; }
trap 'end; rm -rf "$tap_dir"' EXIT
# await SECONDS COMMAND...: until it succeeds
await() {
	tenths=$(($1 * 10)); shift
	while ! "$@"; do
		tenths=$((tenths - 1))
		[ $tenths -gt 0 ] || return 1
		sleep 0.1
	done
}
is_off() { [ "$(field "$1" state)" = stopped ]; }
has_acked() { [ "$(acked "$1")" -ge "$2" ] 2>/dev/null; }

# The disks travel as a client's do: sealed to its key, in a delta.
sh "$TOP/tests/linux/mkdisk.sh" small.img writes=5 >why 2>&1 || skip_all "$(tail -n 1 why)"
sh "$TOP/tests/linux/mkdisk.sh" busy.img writes=500
sh "$TOP/tests/linux/mkdisk.sh" net.img host=192.0.2.1 port=8001 loopback=8002
echo open sesame >secret
imgcrypt keygen -q -o admin.key --no-passphrase >/dev/null
imgcrypt keygen -q -o device.key --passphrase-fd 0 >/dev/null <secret
imgtool init store -R admin.key.pub >/dev/null 2>&1
imgtool init client --client -R device.key.pub >/dev/null 2>&1
for name in small busy net; do
	{
		imgtool import -q $name.img $name -r store -k admin.key &&
			imgdelta create -q /dev/null $name:1 -r store -k admin.key \
				-o $name.delta -R device.key.pub --sign admin.key &&
			imgdelta apply -q $name.delta -r client -k device.key \
				--by admin.key.pub --passphrase-fd 0 <secret
	} >out 2>err || { cat err; skip_all "the delivery failed"; }
done

for os in xp vista win7 win10 win11; do
	[ -r /usr/share/OVMF/OVMF_CODE_4M.fd ] || case $os in
	win1?) skip "no firmware for $os"; continue ;;
	esac
	cat >$os.yaml <<-END
		name: $os
		os: $os
		image: small
		repository: client
		key: device.key
		memory: 512
		network: restricted
	END
	run create -q $os.yaml --passphrase-fd 0 <secret 2>err || cat err
	exits 0 "a Linux on the machine of $os" start $os
	await 90 is_off $os
	is "$(field $os state) $(field $os reason)" "stopped the guest powered off" \
		"$os: it came up and went down by itself"
	is "$(serial $os | sed -n '/^LINUX UP/,$p' | grep -v -e ^ACK -e ^TPM | tr '\n' ',')" \
		"LINUX UP,NETWORK card,DISK /dev/sda,FOUND 0,DONE 0 errors,COMPLAINTS 0,OFF," \
		"$os: its disk, its card and its port work"
done
if [ -e "$state/guests/win11" ]; then
	is "$(serial win11 | grep ^TPM)" "TPM 2" "win11 has a TPM 2.0"
	kept=$state/guests/win11/tpm/tpm2-00.permall
	is "$([ "$(gzip -9 <"$kept" | wc -c)" -gt $(($(wc -c <"$kept") * 9 / 10)) ] &&
		echo yes)" yes "what it keeps is noise to others"
fi

# Two at once, on a host with an address: one may reach it, one may reach nothing, and
# neither may reach what is for this machine only.
for net in nat restricted; do
	cat >$net.yaml <<-END
		name: $net
		os: win7
		image: net
		repository: client
		key: device.key
		memory: 256
		cpus: 1
		network: $net
	END
	run create -q $net.yaml --passphrase-fd 0 <secret
done
cat >serve.py <<'END'
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(8)
while True:
    c, peer = s.accept()
    c.sendall(b'HELLO\n')
    c.close()
END
cat >net.sh <<'END'
set -eu
ip link set lo up
ip address add 192.0.2.1/32 dev lo
python3 serve.py 192.0.2.1 8001 & one=$!
python3 serve.py 127.0.0.1 8002 & two=$!
trap 'kill $one $two' EXIT
for net in nat restricted; do
	imgrun start -q --state "$1" $net --passphrase-fd 0 <secret
done
imgrun status nat --json --state "$1" | jq '.guests[0].processes.network' >net.pid
for net in nat restricted; do
	timeout 90 imgrun console -f --state "$1" $net
done
END
if unshare -rn true 2>err && command -v ip >/dev/null; then
	timeout 200 unshare -rn sh net.sh "$state" >out 2>err || cat err
	is "$(serial nat | grep -e ^HOST -e ^LOOPBACK | tr '\n' ',')" \
		"HOST reached,LOOPBACK unreachable," "nat: reaches the world, and not 127.0.0.1"
	is "$(serial restricted | grep -e ^HOST -e ^LOOPBACK | tr '\n' ',')" \
		"HOST unreachable,LOOPBACK unreachable," "restricted: reaches nothing"
	like "$(cat net.pid)" "[1-9]*" "the way out is a process of its own"
else
	skip "no network namespaces of one's own here"
fi

# Its block server is killed while it writes; then everything is, at once.
cat >busy.yaml <<'END'
name: busy
os: win7
image: busy
repository: client
key: device.key
keep: true
memory: 256
END
run create -q busy.yaml --passphrase-fd 0 <secret
start busy
await 60 has_acked busy 20
for again in once twice thrice; do
	before=$(acked busy)
	kill -9 "$(field busy processes.block)"
	await 30 has_acked busy $((before + 20)) || echo "# not $again"
done
is "$(field busy '"block-restarts"')" 3 "the block server was killed and came back, three times"
is "$(field busy state)" running "and the guest ran on"
for p in supervisor keys block qemu; do field busy processes.$p; done >pids
xargs kill -9 <pids
sleep 0.3
acked=$(acked busy)
is "$(field busy state)" failed "all of its processes were killed"
start busy
await 60 has_acked busy $((acked + 20))
for again in once twice; do
	before=$(acked busy)
	kill -9 "$(field busy processes.block)"
	await 30 has_acked busy $((before + 20)) || echo "# not $again"
done
await 60 is_off busy
found=$(serial busy | sed -n 's/^FOUND //p')
is "$([ "$acked" -ge 80 ] && [ "$found" -ge "$acked" ] && echo yes)" yes \
	"every write that was acknowledged is there ($found of $acked)"
is "$(serial busy | sed -n '/^DONE/,$p' | tr '\n' ',')" "DONE 0 errors,COMPLAINTS 0,OFF," \
	"and a block server killed twice was no error to the guest, and no late answer"
done_testing
