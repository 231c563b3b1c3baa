#!/bin/sh
# imgrun update: a new version proves itself, or the old one comes back.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-system-x86_64 nbdkit python3 jq
case $BUILD in
*/release | */debug | */cov) ;;
*) skip_all "nbdkit cannot load a plugin built with sanitizers" ;;
esac

state=$PWD/state
run() { verb=$1; shift; timeout 60 imgrun "$verb" --state "$state" "$@"; }
field() { run status g --json | jq -r ".guests[0].$1"; }
trap 'run stop --force -q g 2>/dev/null; rm -rf "$tap_dir"' EXIT
# until WANT COMMAND...: it says so within ten seconds
until_is() {
	want=$1; shift
	for tenth in $(seq 100); do
		[ "$("$@")" = "$want" ] && break
		sleep 0.1
	done
	echo "$want" "$tenth" >/dev/null
}
settled() { field 'staged // "none"'; }

# Version 1 is well; 2 hangs, 3 panics, 4 says nothing, 5 is well again.
imgcrypt keygen -q -o device.key --no-passphrase >/dev/null
imgtool init repo -R device.key.pub >/dev/null 2>&1
n=0
for kind in well hang panic mute well; do
	python3 "$TOP/tests/bootsector.py" $kind disk.img
	# Two disks alike would be one version.
	printf '%s' "$n" | dd of=disk.img bs=1 seek=100000 conv=notrunc status=none
	if [ $n = 0 ]; then set --; else set -- --parent "g:$n"; fi
	imgtool import disk.img g "$@" -r repo -k device.key >out 2>err ||
		{ cat err; skip_all "import failed"; }
	n=$((n + 1))
done
cat >g.yaml <<'END'
name: g
os: win7
image: g:1
repository: repo
key: device.key
keep: true
health: {console: OK, within: 2, tries: 2}
END
exits 0 "a guest of version 1" run create -q g.yaml --unprotected-key

# What version 1 can do is found out while it runs.
run start -q g
until_is healthy sh -c "imgrun why --state '$state' g --json | jq -r '.records[-1].event'"
is "$(run why g --json | jq -r '.records[-1] | .event + " " + .detail')" \
	"healthy g:1 console disk" "version 1 is known to talk and to write"

# Staged while it runs; nothing changes under it.
exits 0 "update of a running guest" run update g g:2
is "$(field version) $(field staged)" "g:1 g:2" "is for the next start"
exits 2 "an update to what runs already" run update g g:1
exits 8 "an update to what is not there" run update g g:9
run stop --force g

# One that hangs, one that panics, one that says nothing.
for n in 2 3 4; do
	[ $n = 2 ] || exits 0 "update to version $n" run update -q g g:$n
	run start -q g
	until_is none settled
	is "$(field version)" g:1 "version $n goes, version 1 comes back by itself"
	is "$(run why g | grep -c "  trial  .*g:$n try")" 2 "after two tries"
	until_is running field state
	is "$(field state)" running "and runs"
	run why g >out
	case $n in
	2) like "$(grep rejected out)" "*g:2 failed the checks*(console disk) within 2 s*" "why says that it hung" ;;
	3) like "$(grep 'rejected.*g:3' out)" "*the guest panicked*" "why says that it panicked" ;;
	4) like "$(grep 'rejected.*g:4' out)" "*(console)*" "why says which check it failed" ;;
	esac
	run stop --force g
done
exits 6 "a version that was rejected is not staged again" run update g g:3
says "*g:3 was tried*--force*" "but with force"

# The good one.
exits 0 "update to version 5" run update -q g g:5
run start -q g
until_is none settled
is "$(field version) $(field previous)" "g:5 g:1" "the good version is active"
exits 6 "no rollback under a running guest" run rollback g
run stop --force g
exits 0 "rollback" run rollback -q g
is "$(field version)" g:1 "version 1 again"
exits 6 "there is nothing before it" run rollback g
exits 6 "and 5 is not taken by itself" run update g g:5

# The supervisor dies in the middle of a trial: the try counts.
run update -q --force g g:5
for try in 1 2; do
	run start -q g
	kill -9 "$(field processes.supervisor)"
	sleep 0.2
done
run start -q g
is "$(field version) $(settled)" "g:1 none" "a version whose tries all died is rejected ($try)"
run stop --force g

# Redeploy: what was written is gone.
ls "$state"/guests/g/layers >has
is "$(cat has)" "g@1" "only the layers that a start may want are kept"
exits 2 "redeploy asks" run redeploy g
exits 0 "redeploy" run redeploy --yes g
is "$(ls "$state"/guests/g/layers)" "" "the layer is gone"
exits 0 "and it starts" run start g
run stop --force g

# What it wrote is missing, or damaged: told, and never replaced without a word.
python3 "$TOP/tests/bootsector.py" count disk.img
imgtool import -q disk.img count -r repo -k device.key >/dev/null 2>&1
sed 's/^name: g/name: count/; s/^image: .*/image: count/; s/^os: .*/os: xp/' g.yaml >count.yaml
run create -q count.yaml --unprotected-key
run start -q count
run console -f count >out
is "$(cat out)" 1W "a guest that counts its starts"
layers=$state/guests/count/layers
mv "$layers/count@1" away
exits 6 "a missing layer" run start count
says "*count:1 is missing*redeploy*" "is told"
cp -a away "$layers/count@1"
python3 - "$layers"/count@1/* <<'END'
import sys
for path in sys.argv[1:]:
    with open(path, 'rb') as f:
        b = bytearray(f.read())
    for at in range(16, len(b), 7):
        b[at] ^= 1
    with open(path, 'wb') as f:
        f.write(b)
END
run start -q count 2>err
like "$?" "[456]" "a damaged layer"
says "*layer*" "is told"
rm -r "$layers/count@1"
run redeploy --yes count
run start -q count
run console -f count >out
is "$(cat out)" 1W "redeploy begins anew"
run remove --yes count
rm -r away

# What the machine lacks; and a layer that two guests would write.
cat >lack.sh <<'END'
set -u
lacks() {
	imgrun start -q --state "$1" g 2>err
	echo "$? $(wc -l <err) $(cat err)"
}
mount --bind /dev/null /usr/bin/qemu-system-x86_64; lacks "$1"; umount /usr/bin/qemu-system-x86_64
sed 's/^name: g/name: ten/; s/^os: .*/os: win10/' g.yaml >ten.yaml
imgrun create -q --state "$1" ten.yaml --unprotected-key
mount -t tmpfs none /usr/share/OVMF
imgrun start -q --state "$1" ten 2>err
echo "$? $(wc -l <err) $(cat err)"
umount /usr/share/OVMF
imgrun remove --yes --state "$1" ten
sed 's/^name: g/name: twin/' g.yaml >twin.yaml
imgrun create -q --state "$1" twin.yaml --unprotected-key
mount --bind "$1/guests/g/layers" "$1/guests/twin/layers"
imgrun start -q --state "$1" g
imgrun start -q --state "$1" twin 2>err
echo "$? $(wc -l <err) $(cat err)"
imgrun stop -q --force --state "$1" g
umount "$1/guests/twin/layers"
imgrun remove --yes --state "$1" twin
END
if unshare -rm true 2>err; then
	timeout 60 unshare -rm sh lack.sh "$state" >out 2>lack.err
	like "$(sed -n 1p out)" "3 1 *qemu-system-x86_64: not installed" "no QEMU: told in one line"
	like "$(sed -n 2p out)" "3 1 *firmware: not there; install the package ovmf*" "no firmware: told in one line"
	like "$(sed -n 3p out)" "6 1 *layer is in use*" "two guests, one layer: the second is refused"
else
	skip "no mounts of one's own here"
	skip "no mounts of one's own here"
	skip "no mounts of one's own here"
fi

# The host's disk fills up under a guest that writes: it stands still, and goes
# on where it stood.
mkdir small
cat >full.sh <<'END'
set -eu
mount -t tmpfs -o size=3m tmpfs small
imgrun create -q --state small busy.yaml --unprotected-key
imgrun start -q --state small busy
trap 'imgrun stop -q --force --state small busy' EXIT
dd if=/dev/zero of=small/fill bs=64k 2>/dev/null || :
state() { imgrun status busy --state small --json | jq -r '.guests[0] | .state + ": " + .reason'; }
for tenth in $(seq 100); do
	case $(state) in paused*) break ;; esac
	sleep 0.1
done
state
rm small/fill
imgrun resume --state small busy
imgrun console --state small -f busy | tr -d . | tail -c 1
END
python3 "$TOP/tests/bootsector.py" busy disk.img
imgtool import -q disk.img busy -r repo -k device.key >/dev/null 2>&1
sed 's/^name: g/name: busy/; s/^image: .*/image: busy/' g.yaml >busy.yaml
if unshare -rm true 2>err; then
	timeout 60 unshare -rm sh full.sh >out 2>err
	is "$(cat out)" "paused: the host's disk is full
D" "a full disk pauses the guest, which sees no error"
else
	skip "no mounts of one's own here"
fi

# The end: keys first, a receipt that the device signed, and no way back.
run start -q g
exits 2 "wipe asks" run wipe g
exits 0 "wipe of a running guest" run wipe --yes g
receipt=$(cat out)
exits 0 "the device's key signed the receipt" imgcrypt verify --by device.key.pub "$receipt"
like "$(cat "$receipt")" "*guest: g*image: ?g:1*how-sure: *" "which says what went, and how surely"
exits 8 "the guest is gone" run status g
# Cut short after it was decided: the next command goes on with it.
for g in one two; do
	sed "s/^name: g/name: $g/" g.yaml >$g.yaml
	run create -q $g.yaml --unprotected-key
done
printf 'guests:\n  - one\nkeys: []\n' >"$state/wiping"
is "$(run list | cut -d ' ' -f 1)" two "an interrupted wipe is finished first"
is "$(ls -A "$state"/guests) $([ -e "$state"/wiping ] || echo gone)" "two gone" "to its end"
exits 0 "wipe of everything" run wipe --yes --all --no-receipt
is "$(run list)$(ls device.key 2>/dev/null)" "" "no guest and no device key is left"
is "$(imgcrypt public device.key 2>&1 | wc -l)" 1 "so nothing opens the repository here"
done_testing
