#!/bin/sh
# A volume that lies is read or refused, and never changed in passing.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need mkntfs ntfsfix istat python3

# ---- one with a bit of everything, small, so that most of it is structure
truncate -s 4M v.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 -c 1024 v.img >/dev/null 2>&1 || skip_all "mkntfs fails"
mkdir -p tree/Users/many tree/Windows
seq 3000 >tree/Users/note.txt
n=0
while [ $n -lt 90 ]; do echo $n >"tree/Users/many/a file with quite a long name $n.txt"; n=$((n + 1)); done
head -c 60000 "$BUILD/mkguest" >exe
imgtool files put -q v.img tree/Users / && imgtool files put -q v.img tree/Windows / &&
	printf zone | imgtool files put -q v.img - /Users/note.txt:Zone
python3 "$TOP/tests/wof.py" v.img a.exe lzx exe >why || :
imgtool undo --drop --yes -q v.img
mv v.img base.img
ok "volumes with structures changed at random" \
	python3 "$TOP/tests/ntfsfuzz.py" base.img "${FUZZ_ROUNDS:-20}" "${FUZZ_SEED:-1}"
grep '^#' out

# ---- names that Windows does not make, or tells apart
cp base.img v.img
if python3 "$TOP/tests/ntfsname.py" v.img Read.txt READ.TXT a:b con 'dot.' 'what?' 2>why; then
	for name in Read.txt READ.TXT a:b con dot. 'what?'; do
		is "$(imgtool files cat v.img "/$name" 2>&1)" "$name" "$name is read by its own name"
	done
	is "$(imgtool files cat v.img /read.TXT | tr '[:upper:]' '[:lower:]')" read.txt "a name that fits two is one of them"
	exits 0 "all of them are copied out" imgtool files get v.img / out.d
	is "$(cat out.d/Read.txt out.d/READ.TXT out.d/a:b out.d/con)" "Read.txtREAD.TXTa:bcon" "each as itself"
	exits 0 "one of two is removed" imgtool files rm v.img /READ.TXT
	is "$(imgtool files cat v.img /Read.txt)" Read.txt "the other one stays"
else
	skip "libntfs-3g: $(tail -n 1 why)"
fi

# ---- full
rm -rf v.img.undo
cp base.img v.img
before=$(sum_of v.img)
head -c 4M /dev/urandom >big
exits 1 "more than fits" imgtool files put v.img big /big
says "*v.img: big: cannot *: No space left on device" "says so"
is "$(sum_of v.img)" "$before" "and the volume is the old one"
[ ! -e v.img.undo ]; is $? 0 "without a trace"

# ---- an $MFT in many pieces
truncate -s 16M m.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 -c 1024 m.img >/dev/null 2>&1
mkdir fill many
head -c 4096 big >piece
n=0
while [ $n -lt 2200 ]; do ln piece fill/f$n; n=$((n + 1)); done
ok "a volume is filled" imgtool files put m.img fill /
n=0
while [ $n -lt 2200 ]; do echo /fill/f$n; n=$((n + 2)); done >half
ok "every other file is removed" sh -c "xargs imgtool files rm m.img <half"
n=0
while [ $n -lt 4000 ]; do echo $n >many/m$n; n=$((n + 1)); done
ok "thousands of small files go between" imgtool files put m.img many /
istat m.img 0 >stat
# runs of neighbouring clusters of its data
pieces=$(sed -n '/^Type: .DATA/,/^Type: .BITMAP/p' stat | grep '^[0-9]' | tr ' ' '\n' |
	awk 'NF { if ($1 != last + 1) n++; last = $1 } END { print n + 0 }')
[ "$pieces" -gt 60 ]; is $? 0 "the MFT is in $pieces pieces"
exits 0 "all are read" imgtool files get m.img /many back
is "$(diff -r many back)" "" "as they were written"
ok "ntfsfix accepts it" ntfsfix -n m.img

# ---- the reader dies
cp base.img v.img
mkfifo feed
imgtool files put v.img - /fed <feed >said 2>err &
pid=$!
exec 7>feed
head -c 1100000 big >&7
n=0
worker=
while [ -z "$worker" ] && [ $n -lt 100 ]; do
	worker=$(cat "/proc/$pid/task/$pid/children")
	n=$((n + 1)); sleep 0.05
done
# shellcheck disable=SC2086 # one number
kill -KILL $worker
head -c 1100000 big >&7
exec 7>&-
wait $pid
is $? 4 "a reader that dies in the middle: status 4"
says "*v.img: its reader ended; the volume is probably damaged*" "says what to do"
is "$(sum_of v.img)" "$before" "and the volume is the old one"
done_testing
