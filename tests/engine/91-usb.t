#!/bin/sh
# 91-usb.t - USB sticks and a guest's rules, in a host of the test's own
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The host is emulated, and so are its sticks; inside it imgrun runs a guest whose
# boot sector shows the first byte of each stick that its BIOS finds.
. tests/tap.sh
need qemu-system-x86_64 nbdkit python3 jq
case $BUILD in
*/release | */debug | */cov) ;;
*) skip_all "nbdkit cannot load a plugin built with sanitizers" ;;
esac

imgcrypt keygen -q -o device.key --no-passphrase >/dev/null
imgtool init repo -R device.key.pub >/dev/null 2>&1
python3 "$TOP/tests/bootsector.py" stick stick.img
imgtool import -q stick.img stick -r repo -k device.key >/dev/null 2>&1
for letter in G B L; do
	printf '%s' "$letter" >"$letter.img"
	truncate -s 1M $letter.img
done
cat >g.yaml <<'END'
name: g
os: win7
image: stick
repository: repo
key: device.key
memory: 64
usb:
  - allow: {class: "08", serial: GOOD}
END
cat >init <<'END'
cd /root
r() { v=$1; shift; imgrun "$v" --state /root/state "$@"; }
# await LETTER [ABSENT]: until the guest's last word has it, or has it not
shows() { r console g | tail -c 2 | grep -q "$1"; }
await() { n=0; until shows "$1"; do n=$((n+1)); [ $n -lt 120 ] || return 1; sleep 0.5; done; echo "SHOWS $1"; }
await_gone() { n=0; while shows "$1"; do n=$((n+1)); [ $n -lt 120 ] || return 1; sleep 0.5; done; echo "SHOWS NO $1"; }
attached() { r usb g list --json | tr -d ' \n' | grep -o '"serial":"[A-Z]*"[^}]*' |
	sed 's/"serial":"\([A-Z]*\)".*"allowed":\([a-z]*\).*"attached":\([a-z]*\).*/\1-\2-\3/' | sort | tr '\n' ' '; }
n=0; until [ "$(ls /sys/bus/usb/devices | grep -c '^[0-9]-[0-9]*$')" -ge 2 ]; do
	n=$((n+1)); [ $n -lt 100 ] || break; sleep 0.2; done
echo "HOST UP"
r create -q g.yaml --unprotected-key || echo "CREATE FAILED"
r start -q g || echo "START FAILED"
r status g | sed -n 's/^jail */JAIL /p'
await G
echo "LIST $(attached)"
echo "PLUG"
n=0; until r usb g list | grep -q LATE; do n=$((n+1)); [ $n -lt 60 ] || break; sleep 0.5; done
sleep 1
echo "LATE $(attached)"
r usb g allow serial=LATE || echo "ALLOW FAILED"
await L
echo "ALLOWED $(attached)"
r usb g deny serial=GOOD
await_gone G
echo "DENIED $(attached)"
echo "UNPLUG"
n=0; while r usb g list | grep -q LATE; do n=$((n+1)); [ $n -lt 60 ] || break; sleep 0.5; done
await_gone L
echo "UNPLUGGED $(attached)"
r console g | grep -q B && echo "SAW B"
r stop --force -q g
echo "HOST OFF"
poweroff -f
END
version=$(sh "$TOP/tests/linux/mkhost.sh" host.cpio init repo device.key g.yaml) ||
	skip_all "$version"

# Sticks come and go as the host's script says that it waits for that.
cat >drive.py <<'END'
import json, socket, sys, time
log, done = open('host.log', 'rb'), {'PLUG': False, 'UNPLUG': False}
for _ in range(100):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect('qmp')
        break
    except OSError:
        time.sleep(0.1)
f = s.makefile('rw')
def run(name, **arguments):
    f.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
    f.flush()
    while True:
        answer = json.loads(f.readline())
        if 'return' in answer or 'error' in answer:
            return
f.readline()
run('qmp_capabilities')
seen, until = b'', time.time() + 240
while time.time() < until and b'HOST OFF' not in seen:
    seen += log.read()
    lines = seen.replace(b'\r', b'').split(b'\n')
    if b'PLUG' in lines and not done['PLUG']:
        done['PLUG'] = True
        run('device_add', driver='usb-storage', bus='x.0', drive='late', id='late', serial='LATE')
    if b'UNPLUG' in lines and not done['UNPLUG']:
        done['UNPLUG'] = True
        run('device_del', id='late')
    time.sleep(0.1)
END
: >host.log
timeout 300 qemu-system-x86_64 -machine q35 -accel tcg -cpu max -smp 2 -m 1200 -nodefaults \
	-display none -no-reboot -serial file:host.log -qmp unix:qmp,server,nowait \
	-kernel "/boot/vmlinuz-$version" -initrd host.cpio \
	-append "console=ttyS0 quiet rdinit=/init mitigations=off nokaslr" \
	-device qemu-xhci,id=x \
	-drive if=none,id=good,file=G.img,format=raw -device usb-storage,bus=x.0,drive=good,serial=GOOD \
	-drive if=none,id=bad,file=B.img,format=raw -device usb-storage,bus=x.0,drive=bad,serial=BAD \
	-drive if=none,id=late,file=L.img,format=raw </dev/null >qemu.log 2>&1 &
python3 drive.py
wait
tr -d '\r' <host.log >said
sed 's/^/# /' said | tail -n 40
said() { sed -n "s/^$1 //p" said | sed 's/ *$//'; }
is "$(grep -c '^HOST' said)" 2 "the host came up and went down"
is "$(grep FAILED said)" "" "the guest was made and started"
like "$(said JAIL)" "user namespace" "in the highest jail"
is "$(grep '^SHOWS' said | tr '\n' ',')" "SHOWS G,SHOWS L,SHOWS NO G,SHOWS NO L," \
	"the guest's BIOS saw the sticks come and go"
is "$(said LIST)" "BAD-false-false GOOD-true-true" "the allowed stick is the guest's, the other not"
is "$(said LATE)" "BAD-false-false GOOD-true-true LATE-false-false" "one plugged in later is denied"
is "$(said ALLOWED)" "BAD-false-false GOOD-true-true LATE-true-true" "until it is allowed"
is "$(said DENIED)" "BAD-false-false GOOD-false-false LATE-true-true" "one that is denied is taken away"
is "$(said UNPLUGGED)" "BAD-false-false GOOD-false-false" "one that is pulled out is gone"
is "$(grep 'SAW B' said)" "" "the denied stick never appeared"
done_testing
