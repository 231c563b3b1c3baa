#!/bin/sh
# imgrun: guests from an encrypted repository, and what may go wrong with them.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-system-x86_64 nbdkit python3 jq
case $BUILD in
*/release | */debug | */cov) ;;
*) skip_all "nbdkit cannot load a plugin built with sanitizers" ;;
esac

state=$PWD/state
run() { verb=$1; shift; timeout 60 imgrun "$verb" --state "$state" "$@"; }
field() { run status "$1" --json | jq -r ".guests[0].$2"; }
end() { for g in hang busy kept once seven docs shown worn; do run stop --force -q $g 2>/dev/null; done; }
trap 'end; rm -rf "$tap_dir"' EXIT

# The probe ends in time, whatever it finds.
exits 0 "probe" timeout 5 imgrun probe --json
like "$(jq -r .verdict out)" '[hnsba]*' "it has a verdict"
is "$(jq -r 'if .verdict == "hw" or .verdict == "nested" then "kvm" else "tcg" end' out)" \
	"$(jq -r .accelerator out)" "and chooses KVM only where hardware runs the guest"

# An encrypted repository that this device's key opens.
guest seven.img win7
for kind in hang count busy user; do python3 "$TOP/tests/bootsector.py" $kind $kind.img; done
imgcrypt keygen -q -o device.key --no-passphrase >/dev/null
imgcrypt keygen -q -o other.key --no-passphrase >/dev/null
echo secret | imgcrypt keygen -q -o locked.key --passphrase-fd 0 >/dev/null
imgtool init repo -R device.key.pub -R locked.key.pub >/dev/null 2>&1
for name in seven hang count busy user; do
	imgtool import $name.img $name -r repo -k device.key >out 2>err ||
		{ cat err; skip_all "import failed"; }
done
yaml() {
	printf '%s\n' "name: $1" "os: $2" "image: $3" 'repository: repo' \
		'key: device.key' "${4:-cpus: 1}" >"$1.yaml"
}

# What create refuses.
yaml hang xp hang
exits 6 "an unprotected key is refused" run create hang.yaml
says "*device.key: has no passphrase*--unprotected-key*" "and how to accept it is said"
yaml bad xp hang 'cpu: 1'
exits 2 "an unknown key is a usage error" run create bad.yaml --unprotected-key
says "*bad.yaml:6:*cpu*" "with its line"
yaml bad xp nosuch
exits 8 "a missing image is a no" run create bad.yaml --unprotected-key
says "*nosuch*" "and named"
yaml bad xp hang
sed -i 's/device.key/other.key/' bad.yaml
exits 5 "a key that does not open the image" run create bad.yaml --unprotected-key
is "$(run list)" "" "nothing was left behind"
is "$(find "$state" -name '*.new' -o -name '.create*')" "" "not even in hiding"

# A guest that starts Windows' boot sector from the encrypted repository.
yaml seven win7 seven
exits 0 "create" run create seven.yaml --unprotected-key
exits 2 "not twice" run create seven.yaml --unprotected-key
exits 0 "start" run start seven
run console -f seven >out
like "$(cat out)" "*BOOT OK*" "the guest's boot sector read its marker and said so"
run console --serial seven >out
like "$(cat out)" "*BOOT OK*" "on the serial port, too"
is "$(field seven state)" stopped "it powered off"
is "$(field seven reason)" "the guest powered off" "and that is why it is off"
exits 0 "stop of a guest that is off" run stop seven

# A policy may demand that hardware isolates the guest.
yaml strict win7 seven 'require-isolation: true'
run create -q strict.yaml --unprotected-key
case $(imgrun probe --json | jq -r .isolation) in
true) exits 0 "with hardware it starts" run start strict; run stop --force -q strict ;;
*) exits 6 "without hardware that isolates it, it does not start" run start strict ;;
esac

# One that stays.
run create -q hang.yaml --unprotected-key
exits 0 "start of a guest that stays" run start hang
is "$(field hang state)" running "it runs"
exits 6 "a second start is refused" run start hang
says "*hang: is running*" "and told why"
exits 6 "so is remove" run remove --yes hang
exits 0 "suspend" run suspend hang
is "$(field hang state)" paused "it stands still"
exits 0 "resume" run resume hang
is "$(field hang state)" running "it goes on"
exits 1 "a guest that does not shut down in time" run stop --within 1 hang
says "*hang: has not shut down*--force*" "is told"
exits 0 "by force it stops" run stop --force hang
is "$(field hang state) $(field hang reason)" "stopped by force" "and that is on record"

# Nothing of it listens on a network, no key is in a command line.
run start -q hang
for p in supervisor keys block qemu; do
	pid=$(field hang processes.$p)
	for f in /proc/"$pid"/fd/*; do readlink "$f"; done | sed -n 's/^socket:.\(.*\)./\1/p' >has
	# State 0A listens; the tenth field is the inode.
	awk '$4 == "0A" { print $10 }' /proc/"$pid"/net/tcp /proc/"$pid"/net/tcp6 >listening
	grep -Fx -f listening has
	tr '\0' ' ' </proc/"$pid"/cmdline | grep -a -e secret -e device.key
done >found
is "$(cat found)" "" "no process listens on a network or shows a key"
for p in qemu block keys; do
	pid=$(field hang processes.$p)
	is "$(sed -n 's/^NoNewPrivs:[^0-9]*//p; s/^Seccomp:[^0-9]*//p' /proc/"$pid"/status | tr '\n' ' ')" \
		"1 2 " "the process $p gains no privileges and has a seccomp filter"
done
run stop --force hang

# Each process dies at last.
for p in supervisor qemu; do
	run start -q hang
	kill -9 "$(field hang processes.$p)"
	sleep 0.3
	is "$(field hang state)" failed "without its $p the guest has failed"
	exits 0 "and starts again" run start hang
	run stop --force hang
done
run start -q hang
kill -9 "$(field hang processes.keys)"
sleep 0.3
is "$(field hang state)" running "without its key holder it runs on"
kill -9 "$(field hang processes.block)"
sleep 0.5
is "$(field hang state)" failed "until its block server dies, too"
like "$(field hang reason)" "*key holder*" "and that is why"
is "$(pgrep -f "$state" | wc -l | tr -d ' ')" 0 "no process is left"

# What a guest writes: kept where its file says so, else gone with the next start.
yaml kept xp count 'keep: true'
yaml once xp count 'keep: false'
for g in kept once; do
	run create -q $g.yaml --unprotected-key
	for n in 1 2 3; do run start -q $g; run console -f $g >"$g-$n.out"; done
done
is "$(cat kept-*.out)" "1W2W3W" "a kept layer counts on"
is "$(cat once-*.out)" "1W1W1W" "one that is not kept begins anew"

# The user's disk outlives the system's.
yaml docs win7 user 'user: count'
run create -q docs.yaml --unprotected-key
run start -q docs; run console -f docs >docs-1.out
run redeploy --yes docs
run start -q docs; run console -f docs >docs-2.out
is "$(cat docs-1.out docs-2.out)" "1W2W" "redeploy keeps the user's disk"

# A damaged pack: the guest stands still rather than read something else.
cp -r repo worn
yaml worn win7 seven
sed -i 's/repository: repo/repository: worn/' worn.yaml
run create -q worn.yaml --unprotected-key
python3 - worn/packs/*.pack <<'END'
import sys
for path in sys.argv[1:]:
    with open(path, 'rb') as f:
        b = bytearray(f.read())
    for at in range(2000, len(b) - 600000, 100):
        b[at] ^= 1
    with open(path, 'wb') as f:
        f.write(b)
END
exits 0 "a guest with a damaged repository" run start worn
for _ in $(seq 100); do
	[ "$(field worn state)" = running ] || break
	sleep 0.1
done
is "$(field worn state)" paused "is paused"
like "$(field worn reason)" "a disk error*" "and why is told"
is "$(run console worn)" "" "it read nothing wrong"
run stop --force worn

# A display is a socket of the owner's.
yaml shown xp hang 'display: vnc'
run create -q shown.yaml --unprotected-key
run start -q shown
python3 - "$(field shown display)" >out 2>err <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
print(s.recv(4).decode())
END
is "$(cat out)" "RFB " "a viewer reaches the guest's screen"
run stop --force shown

# Two guests side by side share nothing.
run create -q hang.yaml --unprotected-key 2>/dev/null
sed 's/hang/other/; s/image: other/image: hang/' hang.yaml >other.yaml
run create -q other.yaml --unprotected-key
run start -q hang
run start -q other
for ns in mnt pid net ipc uts user; do
	for g in hang other; do
		for p in qemu block; do readlink /proc/"$(field $g processes.$p)"/ns/$ns; done
	done
	readlink /proc/self/ns/$ns
done | sort | uniq -d >shared
case $(run status hang) in
*"user namespace"*) is "$(cat shared)" "" "each process of theirs has namespaces of its own" ;;
*) skip "this machine has no user namespaces" ;;
esac
run stop --force hang
is "$(field other state)" running "one stops, the other runs on"
run stop --force other
run remove --yes other

# A key with a passphrase: nothing starts without it.
printf '%s\n' 'name: locked' 'os: xp' 'image: count' 'repository: repo' 'key: locked.key' 'keep: true' >locked.yaml
echo secret >right; echo wrong >wrong
run create -q locked.yaml --passphrase-fd 0 <right
is $? 0 "a key with a passphrase needs no option"
run start -q locked --passphrase-fd 0 <wrong 2>err
is $? 5 "the wrong passphrase starts nothing"
says "*locked.key*passphrase*" "and that is said"
exits 2 "nor does none" run start -q locked
run start -q locked --passphrase-fd 0 <right
run console -f locked >out
is "$(cat out)" 1W "the right one does"
is "$(grep -rlaF -e HALCYON-GUEST -e WIN7-NEW --exclude='*.log' "$state" repo)" "" \
	"but for its logs, the disk shows nothing of a guest's"

# Somebody copies the whole disk: state, repository and key file, no passphrase.
mkdir taken
cp -a "$state" repo locked.key taken
sed -i "s|$PWD/|$PWD/taken/|" taken/state/guests/locked/bound.yaml
opens() { # NAME COMMAND...: it must not open anything
	name=$1; shift
	timeout 20 "$@" >out 2>err </dev/null
	like "$?" "[1-9]*" "a copied disk: $name opens nothing"
}
opens "a start without a passphrase" imgrun start --state taken/state locked
echo wrong >guess
opens "a start with a wrong one" sh -c 'imgrun start --state taken/state locked --passphrase-fd 0 <guess'
opens "another device's key" sh -c 'cp other.key taken/locked.key; imgrun start --state taken/state locked'
cp locked.key taken/
opens "the repository" imgtool export count:1 gone.img -r taken/repo -k taken/locked.key
opens "the repository, with another key" imgtool export count:1 gone.img -r taken/repo -k other.key
opens "the key file" imgcrypt sign -k taken/locked.key guess
# The block server takes a key as bytes: those of the file, and any others.
for bytes in taken/locked.key /dev/urandom taken/state/guests/locked/layers/*/layer; do
	head -c 168 "$bytes" >raw
	opens "the block server with bytes of ${bytes##*/}" sh -c "exec nbdkit -f -U - \
		'$BUILD/nbdkit-halcyon-plugin.so' repo=$PWD/taken/repo key-fd=5 disk=system \
		image=count:1 layer=$PWD/taken/state/guests/locked/layers/count@1 \
		--run 'qemu-img convert \"\$uri\" gone.img' 5<raw"
done
is "$(ls gone.img 2>/dev/null)" "" "nothing came out"
# Its layer after a wipe, from the copy but for the key slots that are gone.
run wipe -q --yes --no-receipt locked
run create -q locked.yaml --passphrase-fd 0 <right
layer=$state/guests/locked/layers/count@1
cp -a taken/state/guests/locked/layers/count@1 "$layer"
rm "$layer/layer"
exits 1 "a wiped layer's data, put back" sh -c "imgrun start -q --state '$state' locked --passphrase-fd 0 <right"
run console locked >out
is "$(cat out)" "" "opens nothing"
# Only the key slots and the passphrase together do; that is what a receipt says.
cp -a taken/state/guests/locked/layers/count@1/layer "$layer/"
run start -q locked --passphrase-fd 0 <right
run console -f locked >out
is "$(cat out)" 2W "an older copy of its key slots does, with the passphrase"

# The block server dies under a guest that writes and reads back.
yaml busy vista busy
run create -q busy.yaml --unprotected-key
run start -q busy
for pause in 0.5 0.3; do
	sleep $pause
	kill -9 "$(field busy processes.block)"
	sleep 0.3
done
is "$(field busy '"block-restarts"')" 2 "the block server was restarted twice"
run console -f busy >out
is "$(tr -d . <out)" D "and the guest saw nothing of it"
is "$(field busy state)" stopped "it ended well"

# Removal.
exits 2 "remove asks, and in a script needs --yes" run remove hang
exits 0 "remove" run remove --yes hang
exits 8 "then there is no such guest" run status hang
done_testing
