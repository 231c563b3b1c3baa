#!/bin/sh
# What NTFS keeps in special ways is read, and written as Windows would.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need mkntfs ntfsfix icat ifind istat

truncate -s 64M v.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 v.img >/dev/null 2>&1 || skip_all "mkntfs fails"

# ---- CompactOS: chunks by wimlib, placed by libntfs-3g
# code with calls, text, zeros and noise, of a length that is no chunk's
{ head -c 700000 "$BUILD/mkguest"; seq 90000; head -c 99999 /dev/zero; head -c 70000 /dev/urandom; } >plain
: >none
printf 'x' >one
head -c 32768 plain >chunk
for method in xpress4k lzx xpress8k xpress16k; do
	for file in plain none one chunk; do
		python3 "$TOP/tests/wof.py" v.img $file.$method $method $file >why
		case $? in
		0) ;;
		77) skip "$(cat why)"; continue ;;
		*) tap "not ok" "the fixture $file.$method" ;;
		esac
		imgtool files cat v.img /$file.$method >got 2>err
		is "$? $(cmp got $file 2>&1)" "0 " "$method: $file is read"
	done
done
if imgtool files stat v.img /plain.lzx >out 2>err; then
	like "$(cat out)" "*attributes	----A*size	$(wc -c <plain | tr -d ' ')
*reparse	0x80000017*" "CompactOS shows in stat"
	case $(cat out) in *stream*) shown=1 ;; *) shown=0 ;; esac
	is $shown 0 "but what it stores does not"
	exits 0 "a folder with such files is copied out" imgtool files get v.img / out.d
	is "$(cmp out.d/plain.xpress4k plain 2>&1)" "" "plain"
	# writing makes it an ordinary file
	exits 0 "one that is written" imgtool files put v.img one /plain.lzx
	is "$(imgtool files cat v.img /plain.lzx)" x "holds what was written"
	record=$(ifind -n plain.lzx v.img)
	case $(istat v.img "$record") in *Reparse*|*WofCompressedData*) left=1 ;; *) left=0 ;; esac
	is $left 0 "and is an ordinary file for sleuthkit"
	is "$(icat v.img "$record")" x "with that content"
	ok "ntfsfix accepts the volume" ntfsfix -n v.img
fi
done_testing
