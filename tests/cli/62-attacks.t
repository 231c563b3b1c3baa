#!/bin/sh
# 62-attacks.t - a mirror that lies, fails or dawdles: refused or resumed
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The attacks of The Update Framework's specification, 1.5.2, and servers gone
# wrong.  After each of them the client's version is what it was.
. tests/tap.sh
. "$TOP/tests/mirror.sh"
need python3
origin 3
push stick win:1 >/dev/null
serve stick
pull "$url" start >/dev/null
was=$(sum_of v1.img)

# fresh: the client `c` as after the first pull
fresh() { rm -rf c c.state; cp -r start c; cp -r start.state c.state; }
# unharmed NAME: its version still exports as it was, and it can still pull
unharmed() {
	rm -f got.img
	imgtool export -q win:1 got.img -r c -k client 2>/dev/null
	is "$(sum_of got.img)" "$was" "$1: the old version is what it was"
}
# refused STATUS PATTERN NAME: pulling is refused with one line; then it goes well
refused() {
	exits "$1" "$3: refused" pull "$url" c --retries 0 --timeout 1
	says "$2" "$3"
	unharmed "$3"
	right
}
# resumed NAME: the pull gets through all the same
resumed() {
	ok "$1: gets through" pull "$url" c --timeout 1
	holds c win:2 v2.img "$1: the right image"
	right
}

cp -r stick old		# the mirror as it was, for later
push stick win:2 >/dev/null
delta=$(find stick/deltas -type f -printf '%f')
pack=$(cd stick/packs && find . -type f -newer ../domain -printf '%f %s\n' | sort -k2n | head -1)
pack=${pack%% *}
size=$(stat -c %s "stick/deltas/$delta")

# ---- the specification's attacks
fresh; wrong "corrupt *.delta 7000"
refused 5 "*: is not what its name and the release say*" "arbitrary software, a delta"
fresh; wrong "corrupt versions/*.version 100"
refused 5 "*versions/*.version: is not what the release says" "arbitrary software, a manifest"
fresh; wrong "corrupt trust/2.release 200"
refused 5 "*2.release: does not belong to the rest*" "arbitrary software, a release"
fresh; wrong "corrupt trust/timestamp 60"
refused 5 "*timestamp: is *" "arbitrary software, a timestamp"

fresh; pull "$url" c >/dev/null; cp -r c newer; cp -r c.state newer.state
wrong "from trust/* old"
exits 5 "rollback, a server of old metadata: refused" pull "$url" c
says "*timestamp: is number 1, but 2 was there before: it goes back" "rollback"
holds c win:2 v2.img "rollback: the version is what it was"
right
fresh; wrong "from trust/2.snapshot old" "from trust/*.snapshot old"
refused 4 "*2.snapshot: is missing" "old metadata in part"

# Mix and match: a timestamp of today with yesterday's snapshot under its number.
cp -r stick mixed
cp old/trust/1.snapshot mixed/trust/2.snapshot
fresh; wrong "from trust/* mixed"
refused 5 "*2.snapshot: does not belong to the rest of what the mirror says" "mix and match, a snapshot"
cp stick/trust/2.snapshot mixed/trust/2.snapshot
cp old/trust/1.release mixed/trust/2.release
fresh; wrong "from trust/* mixed"
refused 5 "*2.release: does not belong to the rest of what the mirror says" "mix and match, a release"

# Wrong signer: the right shape, signed by somebody who holds no role.
imgdelta trust init other.root -r origin -k other --holder root=other.pub --holder release=admin.pub \
	--holder snapshot=admin.pub --holder timestamp=admin.pub >/dev/null
imgdelta push forged win:1 win:2 -r origin -k admin --trust other.root --state forger >/dev/null
imgdelta trust rotate root stolen -k other --holder root=other.pub --holder release=other.pub \
	--holder snapshot=other.pub --holder timestamp=other.pub >/dev/null 2>&1
cp -r stick taken; cp stolen taken/trust/2.root
fresh; wrong "from trust/* taken"
refused 5 "*2.root: is not signed by those who may: 0 of 1 root keys needed" "wrong signer, of a root"
imgdelta trust init mine -r origin -k boss --holder root=boss.pub --holder release=admin.pub \
	--holder snapshot=other.pub --holder timestamp=other.pub >/dev/null
imgdelta push signed win:1 win:2 -r origin -k admin --trust mine --state forger2 >/dev/null 2>&1
imgdelta refresh signed -k other --state forger2 >/dev/null
fresh; wrong "from trust/* signed"
refused 5 "*timestamp: is not signed by those who may: 0 of 1 timestamp keys needed" "wrong signer"

# Freeze: what nobody renews expires.  A word that is good for 0 days has.
imgdelta trust rotate root frozen -k boss --days timestamp=0 >/dev/null
cp -r stick ice; cp -r admin.state ice.state
imgdelta refresh ice -k admin --trust frozen --state ice.state >/dev/null
fresh; wrong "from trust/* ice"
refused 5 "*timestamp: expired at * UTC: *--allow-expired" "freeze"
fresh; wrong "from trust/* ice"
ok "freeze: --allow-expired takes it" pull "$url" c --allow-expired
holds c win:2 v2.img "freeze: the right image"
wrong "from trust/* old"
exits 5 "freeze: --allow-expired still knows what is older" pull "$url" c --allow-expired
right

# Fast forward: the online keys are stolen and numbers run up; new keys end it.
imgcrypt keygen -o online --no-passphrase >/dev/null
imgcrypt keygen -o online2 --no-passphrase >/dev/null
imgdelta trust init fast -r origin -k boss --holder root=boss.pub --holder release=admin.pub \
	--holder snapshot=online.pub --holder timestamp=online.pub >/dev/null
imgdelta push ff win:1 -r origin -k admin --trust fast --state ff.state >/dev/null 2>&1
imgdelta refresh ff -k online --state ff.state >/dev/null
cp -r ff ff.before
n=0
while [ $n -lt 5 ]; do imgdelta refresh ff -k online --state ff.state >/dev/null; n=$((n + 1)); done
imgtool init f -q -R client.pub --client
imgdelta pull ff -r f -k client --trust fast --state f.state >/dev/null
exits 5 "fast forward: the real one is now older" imgdelta pull ff.before -r f -k client --state f.state
imgdelta trust rotate fast fast2 -k boss --holder snapshot=online2.pub --holder timestamp=online2.pub >/dev/null
ok "fast forward: other keys" imgdelta refresh ff.before -k online2 --trust fast2 --state ff.state
ok "fast forward: the client recovers" imgdelta pull ff.before -r f -k client --state f.state
exits 5 "fast forward: the thief's mirror is refused" imgdelta pull ff -r f -k client --state f.state

# Going back needs a permission.
cp -r newer g; cp -r newer.state g.state
cp -r stick back; cp -r admin.state back.state
imgdelta push back --back win:1 -r origin -k admin --state back.state >/dev/null
ok "going back with a permission" pull back g
is "$(cat out)" "win:1 is there already" "it is the newest that is offered"
exits 5 "forward again without the permission's number" pull stick g
exits 8 "what was withdrawn is not there" pull back g win:2

# ---- endless data, slow retrieval
fresh; wrong "endless trust/timestamp"
refused 4 "*timestamp: is larger than 1048576 bytes" "endless data, a timestamp"
fresh; wrong "endless *.delta"
refused 4 "*.delta: is larger than * bytes" "endless data, a delta"
fresh; wrong "drip *.delta"
refused 1 "*.delta: too slow: *" "slow retrieval"
fresh; wrong "stall *.delta 5000"
refused 1 "*.delta: too slow: *" "a stall"
fresh; wrong "stall trust/timestamp 0"
refused 1 "*timestamp: too slow: *" "a stall before the first byte"

fresh; rm -f server.log; wrong "stall *.delta 5000"
imgdelta pull "$url" -r c -k client --state c.state 2>err & pid=$!
until grep -q deltas server.log 2>/dev/null; do sleep 0.02; done
kill -TERM $pid
wait $pid
is $? 130 "interrupted"
unharmed "interrupted"
right

# ---- servers gone wrong
fresh; wrong "short *.delta 9000"
refused 4 "*.delta: ends after 9000 of $size bytes" "an object cut short"
fresh; wrong "short trust/2.release 100"
refused 5 "*2.release: does not belong to the rest*" "metadata cut short"
fresh; wrong "down *"
refused 1 "*timestamp: the server answers with status 503" "a server that is down"
fresh; wrong "down *.delta 1"
resumed "a server that is down once"
fresh; wrong "cut *.delta 50000"
resumed "a server that restarts again and again"
is "$(awk -v d="deltas/$delta" '$2 == d && $1 == 206 { print $3 }' server.log | sort -n | tail -1)" \
	"$((size / 50000 * 50000))" "each time it goes on where it was"
fresh; wrong "wrong-range packs/*" "cut *.delta 50000"
resumed "restarts"
fresh; wrong "cut *.delta 50000"
exits 1 "no more than so many attempts without progress" pull "$url" c --retries 0
unharmed "no more attempts"
wrong "wrong-range *.delta"
refused 4 "*.delta: the server answers with another range than it was asked for" "206 of another range"
pull "$url" c --retries 0 >/dev/null 2>&1
fresh; wrong "cut *.delta 50000"; pull "$url" c --retries 0 >/dev/null 2>&1
wrong "long-range *.delta"
ok "206 that is as long as can be" pull "$url" c
fresh; wrong "cut *.delta 50000"; pull "$url" c --retries 0 >/dev/null 2>&1
wrong "no-range *.delta"
resumed "200 in answer to a range"

# Ranges of packs: a client that has nothing, whose packs come in part.
wrong "long-range packs/*"
exits 4 "206 with more than was asked for: refused" pull "$url" n --retries 0
says "*: is larger than * bytes" "206 with more than was asked for"
wrong "wear packs/* 1000"	# in part of it no record lies that is asked for
exits 5 "a record of a pack changed: refused" pull "$url" n
exits 8 "nothing of it is a version" imgtool export win:2 no.img -r n -k client
right
ok "and then it is pulled" pull "$url" n
holds n win:2 v2.img "the right image"

# A delta changed at any byte.  (Sampled: each costs a process.)
bad=0
at=0
while [ $at -lt "$size" ]; do
	fresh; wrong "corrupt *.delta $at"
	pull "$url" c >/dev/null 2>&1
	if [ $? != 5 ] || [ -e c/refs/win/2 ]; then bad=$((bad + 1)); echo "# byte $at"; fi
	at=$((at + size / 9))
done
is "$bad" 0 "a delta changed at any byte is refused"
right
# A delta that starts from another version than is here is not even asked for.
push stick win:3 >/dev/null
fresh; rm -f server.log
wrong "down deltas/$delta"
exits 1 "a delta for another base: not without the one before" pull "$url" c --retries 0
is "$(grep -c 'deltas' server.log)" 1 "it is not asked for"
unharmed "a delta for another base"
right
ok "one after the other" pull "$url" c
holds c win:3 v3.img "the right image"
exits 5 "another recipient" sh -c "imgtool init r -q -R other.pub --client &&
	imgdelta pull '$url' win -r r -k other --trust root --state r.state --retries 0"

# ---- a full disk
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=26m tmpfs small 2>/dev/null; then
	trap 'unserve; umount small 2>/dev/null; rm -rf "$tap_dir"' EXIT
	cp -r start/. small
	cp -r start.state small.state
	# fill N: leave N KiB free
	fill() { head -c "$(($(stat -f -c '%a * %S' small) - $1 * 1024))" /dev/zero >small/filler; }
	fill 8
	exits 1 "no room for what is to come" pull "$url" small
	says "*needs * MiB*No space left on device" "no room"
	rm small/filler
	fill $((size / 1024 + 40))
	exits 1 "a disk that is full" pull "$url" small
	says "*No space left on device*" "a disk that is full"
	rm -f small/filler got.img
	imgtool export -q win:1 got.img -r small -k client 2>/dev/null
	is "$(sum_of got.img)" "$was" "a disk that is full: the old version is what it was"
	ok "with room it goes on" pull "$url" small
	umount small
else
	skip "no small file system"
fi
done_testing
