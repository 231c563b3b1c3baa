#!/bin/sh
# 90-imgrun.t - a guest's processes die at every instant, and nothing is lost
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
trap 'run stop --force -q g 2>/dev/null; run stop --force -q u 2>/dev/null
	rm -rf "$tap_dir"' EXIT
# await WANT COMMAND...: it says so within ten seconds
await() {
	want=$1; shift
	for tenth in $(seq 100); do
		[ "$("$@")" = "$want" ] && return
		sleep 0.1
	done
	echo "# not $want after $tenth tenths"
}
processes() { pgrep -c -f "$state/guests/[g]"; }
versions() { field g '"version" + " " + (.guests[0].staged // "none")'; }
# killed_at N PART PROGRAM...: it dies before its Nth change below PART, at the
# latest when version 2 is active; fails when it does not
killed_at() {
	n=$1 part=$2; shift 2
	rm -f mark
	KILL_AT=$n KILL_IN=$part KILL_MARK=$PWD/mark LD_PRELOAD=$BUILD/crash-kill.so \
		timeout 60 "$@" >out 2>err </dev/null
	if [ "$part" = /guests/g/journal ]; then
		await over sh -c "[ -e mark ] || grep -q ' active g:2' $state$part && echo over"
		sleep 0.2
	fi
	[ -e mark ]
}

# Each version counts its starts on its disk.
imgcrypt keygen -q -o device.key --no-passphrase >/dev/null
imgtool init repo -R device.key.pub >/dev/null 2>&1
python3 "$TOP/tests/bootsector.py" tally one.img
cp one.img two.img
printf 2 | dd of=two.img bs=1 seek=100000 conv=notrunc status=none
imgtool import -q one.img g -r repo -k device.key >/dev/null 2>&1
imgtool import -q two.img g --parent g:1 -r repo -k device.key >/dev/null 2>&1
cat >g.yaml <<'END'
name: g
os: xp
image: g:1
repository: repo
key: device.key
keep: true
health: {console: W, within: 20, tries: 9}
END
count() { run start -q g; await "$1" run console g; run stop --force -q g; }
run create -q g.yaml --unprotected-key
run start -q g
await healthy sh -c "imgrun why g --json --state '$state' | jq -r '.records[-1].event'"
run stop --force -q g
count 2W
is "$(run console g)" 2W "version 1 has counted two starts on its disk"
run update -q g g:2
cp -a state before

# A start with a trial, cut before each step of each record of the journal.
n=1 bad=
while killed_at $n /guests/g/journal imgrun start -q --state "$state" g; do
	await 0 processes
	case $(field g state) in failed | stopped) ;; *) bad="$bad $n:$(field g state)" ;; esac
	case $(versions) in "g:1 g:2" | "g:2 none") ;; *) bad="$bad $n:$(versions)" ;; esac
	[ -e state/guests/g/layers/g@1/layer ] || bad="$bad $n:layer"
	# The next start goes on from there, and succeeds in the end.
	run start -q g 2>>err || bad="$bad $n:start"
	await "g:2 none" versions
	run stop --force -q g
	# And back: what version 1 wrote is as it was left.
	run rollback -q g
	count 3W
	[ "$(run console g)" = 3W ] || bad="$bad $n:said-$(run console g)"
	rm -rf state
	cp -a before state
	n=$((n + 1))
done
run stop --force -q g
is "$bad" "" "a start killed at each of $((n - 1)) steps of its journal loses nothing"
is "$([ "$n" -gt 12 ] && echo yes)" yes "there were as many steps as four records have"

# Each process is killed in each state.
sed 's/^name: g/name: u/; s/^image: .*/image: u/; s/^health.*//' g.yaml >u.yaml
python3 "$TOP/tests/bootsector.py" hang user.img
imgtool import -q user.img u -r repo -k device.key >/dev/null 2>&1
rm -rf state
run create -q u.yaml --unprotected-key
for when in running paused stopping; do
	for p in supervisor keys block qemu; do
		run start -q u
		case $when in
		paused) timeout 60 imgrun suspend --state "$state" u ;;
		stopping) run stop -q --within 1 u 2>/dev/null ;;
		esac
		is "$(field u state)" $when "$p is to be killed while the guest is $when"
		kill -9 "$(field u processes.$p)"
		sleep 0.3
		case $p in
		supervisor | qemu) want=failed ;;
		*) want=$when ;;
		esac
		is "$(field u state)" $want "then it is $want"
		run stop --force -q u
		exits 0 "and starts again" run start -q u
		run stop --force -q u
	done
done

# While it starts: the supervisor stands still before it says that the guest runs.
for p in imgrun-keys nbdkit qemu-system-x86; do
	rm -f mark
	KILL_HOW=stop KILL_AT=4 KILL_IN=/guests/u/journal KILL_MARK=$PWD/mark \
		LD_PRELOAD=$BUILD/crash-kill.so timeout 60 imgrun start -q --state "$state" u \
		>out 2>err </dev/null &
	starter=$!
	await yes sh -c "[ -e mark ] && echo yes"
	boss=$(pgrep -f "imgrun start -q --state $state u" | while read -r pid; do
		[ "$(cat /proc/"$pid"/comm)" = imgrun-guest ] && echo "$pid"
	done)
	pkill -9 -P "$boss" -x "$p"
	kill -CONT "$boss"
	wait $starter
	like "$?" "[01]" "$p is killed while the guest starts"
	sleep 0.3
	like "$(field u state)" "[rf][ua][ni]*" "the guest runs, or has failed"
	run stop --force -q u
	exits 0 "and starts again" run start -q u
	run stop --force -q u
done

# A wipe, cut before each of its changes: all is there, or nothing ever opens.
cp -a state before-wipe
n=1 bad=
while killed_at $n "$state/" imgrun wipe -q --yes --state "$state" u; do
	if [ -e state/wiping ]; then
		# Its data may be there yet; but none of it without its key.
		for l in state/guests/u/layers/*/; do
			[ -e "$l"layer ] || [ -d "$l" ] || continue
			[ "$(find state/guests/u -type f | wc -l)" -ge \
				"$(find before-wipe/guests/u -type f | wc -l)" ] ||
				[ ! -e "$l"layer ] || bad="$bad $n:key-after-data"
		done
		[ -z "$(run list)" ] || bad="$bad $n:listed"
		[ ! -e state/guests/u ] && [ ! -e state/wiping ] || bad="$bad $n:left"
	elif [ -e state/guests/u ]; then
		run start -q u && run stop --force -q u || bad="$bad $n:broken"
	fi
	[ -z "$(find state -name '*.gone' 2>/dev/null)" ] || bad="$bad $n:remains"
	rm -rf state
	cp -a before-wipe state
	n=$((n + 1))
done
is "$bad" "" "a wipe killed at each of $((n - 1)) changes leaves the guest or nothing of it"
is "$([ "$n" -gt 10 ] && echo yes)" yes "there were as many changes as keys and files take"
done_testing
