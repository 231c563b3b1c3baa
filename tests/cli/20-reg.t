#!/bin/sh
# imgtool reg on hive files.  The hives come from a writer of the tests' own,
# which knows nothing of lib/hive, and so does its reader.
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC1003 # a backslash ends many a path here
. tests/tap.sh
need python3

py() { python3 "$TOP/tests/regfwrite.py" "$@"; }
tree() { py tree "$1"; }
# What a tool of other descent reads.
foreign() { hivexml "$1" 2>/dev/null | sed 's/ *mtime="[^"]*"//g; s/<mtime>[^<]*<.mtime>//g'; }
tab=$(printf '\t')

py hive H
cp H clean
ok "a hive of another writer has no fault" imgtool reg check H
exits 0 "get prints a string" imgtool reg get H values @
is "$(cat out)" unnamed "the unnamed value is @"
imgtool reg get H values dword >out
is "$(cat out)" 7 "a DWORD is a number"
imgtool reg get H VALUES QWord >out
is "$(cat out)" 1099511627776 "names have no case"
imgtool reg get H values multi >out
is "$(cat out)" "a
b" "the strings of a list are lines"
imgtool reg get H values 'ÜMLÄUT' >out
is "$(cat out)" "é" "nor have umlauts"
imgtool reg get H values odd >out
is "$(cat out)" 610062 "a string of odd length is bytes"
imgtool reg get H values none >out
is "$(cat out)" "" "a value may be empty"
is "$(imgtool reg get H values over | wc -c | tr -d ' ')" 32691 "a big value is whole"
imgtool reg ls H >out
is "$(cat out)" 'many\
names\
values\' "ls lists subkeys in order"
imgtool reg ls H 'many\k007' >out
is "$(cat out)" "v${tab}REG_DWORD${tab}7" "and values"
like "$(imgtool reg get --json H 'many\k007' v)" '*"type": "REG_DWORD"*"data": "07000000"*"number": 7*' "json"
exits 8 "a missing key" imgtool reg get H nope
says 'imgtool: H: there is no key nope' "a missing key"
exits 8 "a missing value" imgtool reg get H values nope
exits 1 "a missing file" imgtool reg check ./nope
printf 'regf%9000s' x >junk
exits 4 "no hive at all" imgtool reg get junk x
says 'imgtool: junk: rule B2 at 0x1fc*' "no hive at all"

# A hive that a transaction manager holds, and its log, which is newer.
py ktm clean
touch -d '2020-01-01' clean && : >'clean{0a1b}.TM.blf'
exits 0 "a hive with a newer transaction log" imgtool reg ls clean
says "*clean: a transaction manager's log is newer*" "is warned about"
touch -d '2019-01-01' 'clean{0a1b}.TM.blf'
exits 0 "a hive with an older one" imgtool reg ls clean
is "$(cat err)" "" "is not"
rm 'clean{0a1b}.TM.blf'

# ---- edits -------------------------------------------------------------------
tree H >before
exits 0 "set a string" imgtool reg set H 'new\Ünder\b' name sz 'wört'
tree H >after
is "$(imgtool reg get H 'NEW\üNDER\B' NAME)" wört "it is there"
is "$(diff before after | grep -c '^<')" 1 "nothing else changed but the root's time"
python3 - <<'PY'
d = bytearray(open('H', 'rb').read())
import struct
assert struct.unpack_from('<II', d, 4) == (2, 2)
PY
is $? 0 "the sequence number is above the old one"
cp H same
ok "the same set again" imgtool reg set H 'new\Ünder\b' name sz 'wört'
ok "writes nothing" cmp H same
ok "a dry run" imgtool reg set -n H new x dword 1
ok "writes nothing either" cmp H same
for t in 'sz text' 'expand_sz %A%' 'dword 4294967295' 'qword 0x10' 'binary 00ff' 'none' 'multi_sz a b' \
	'link \REGISTRY\x' '0xffff0012 abcd' 'dword_big_endian 5'; do
	# shellcheck disable=SC2086
	set -- $t
	ok "set $1" imgtool reg set H types "$1" "$@"
done
is "$(imgtool reg ls H types | tr '\n' ';')" "sz	REG_SZ	text;expand_sz	REG_EXPAND_SZ	%A%;\
dword	REG_DWORD	4294967295;qword	REG_QWORD	16;binary	REG_BINARY	00ff;none	REG_NONE	;\
multi_sz	REG_MULTI_SZ	a\\0b;link	REG_LINK	\\REGISTRY\\x;0xffff0012	0xffff0012	abcd;\
dword_big_endian	REG_DWORD_BIG_ENDIAN	5;" "all types read back"
exits 2 "no such type" imgtool reg set H a b sizzle c
exits 2 "no number" imgtool reg set H a b dword -- -1
exits 2 "half a byte" imgtool reg set H a b binary 0
ok "delete a value" imgtool reg delete H types link
exits 8 "it is gone" imgtool reg get H types link
ok "delete a key" imgtool reg delete H new
exits 8 "with all below" imgtool reg get H 'new\Ünder\b' name
exits 8 "what is not there" imgtool reg delete H new
exits 2 "the root stays" imgtool reg delete H '\'
ok "the hive is sound after all that" imgtool reg check H
python3 -c "print('[big]\n\"v\"=hex:' + ','.join(['61'] * 40000))" >big.reg
ok "a value of 40,000 bytes" imgtool reg import H big.reg
is "$(imgtool reg get H big v | wc -c | tr -d ' ')" 80001 "is there"
if command -v regfexport >/dev/null; then
	is "$(regfexport H 2>/dev/null | grep -c '61 61 61 61 61 61 61 61  61 61 61 61 61 61 61 61')" 2500 \
		"and another reader sees all of it"
else skip "regfexport is not installed"; fi

# ---- .reg text -----------------------------------------------------------------
cp clean T
tree T | sed 's/ [0-9]\{18\} .*//' >want
ok "export" imgtool reg export -o t.reg T
ok "is UTF-16 with its mark" test "$(od -An -tx1 -N2 t.reg | tr -d ' ')" = fffe
imgtool reg export T >t8.reg
py hive E >/dev/null
for k in values names many; do imgtool reg delete E $k; done
cp E E8
ok "import" imgtool reg import E t.reg
ok "import of UTF-8" imgtool reg import E8 t8.reg
for h in E E8; do
	tree $h | sed 's/ [0-9]\{18\} .*//' >got
	is "$(diff want got)" "" "$h: the round trip keeps keys, names, types and bytes"
done
cat >four.reg <<'REG'
REGEDIT4

; a comment
[-HKEY_LOCAL_MACHINE\SOFTWARE\a]
[HKLM\SOFTWARE\a\b]
@="x"
"exp"=hex(2):25,41,\
  25,00
"gone"="1"
"gone"=-
"d"=dword:1f
REG
ok "version 4, with a prefix" imgtool reg import --prefix 'hklm\Software' E four.reg
is "$(imgtool reg ls E 'a\b' | tr '\n' ';')" "@	REG_SZ	x;exp	REG_EXPAND_SZ	%A%;d	REG_DWORD	31;" \
	"strings in bytes are widened, deletes deleted, parents created"
exits 2 "without the prefix" imgtool reg import E four.reg
cp E before
printf '[a]\n"x"="1"\n"y"=what\n' >bad.reg
exits 4 "a bad line" imgtool reg import E bad.reg
says 'imgtool: bad.reg: line 3 *' "a bad line"
ok "and nothing of that file was done" cmp E before

# ---- dirty hives ---------------------------------------------------------------
# replay KIND FAULT STATUS: after it, the hive holds what it should
replay() {
	rm -rf d d2
	py dirty d "$1" "$2"
	cp -r d d2
	tree d/want >want
	exits "$3" "$1 $2: replay ends with status $3" imgtool reg replay d/H
	if [ "$3" = 0 ]; then
		is "$(tree d/H | diff want -)" "" "$1 $2: is the state that the logs held"
		is "$(cat d/H.LOG1 d/H.LOG2 | wc -c | tr -d ' ')" 0 "$1 $2: the logs are empty"
		ok "$1 $2: no fault" imgtool reg check d/H
	else
		is "$(cmp d/H d2/H && cmp d/H.LOG1 d2/H.LOG1 && cmp d/H.LOG2 d2/H.LOG2)" "" "$1 $2: nothing changed"
		is "$(grep -c 'lost.*--discard-logs' err)" 1 "$1 $2: the error says what would be lost"
	fi
}
for kind in hvle hvle2 dirt; do
	replay $kind '' 0
	replay $kind cut 6
	replay $kind torn 6
	replay $kind header 0
done
for fault in first middle last stale zero; do replay hvle $fault 6; done
for fault in middle gap stale; do replay hvle2 $fault 6; done
for fault in swapped wrap; do replay hvle2 $fault 0; done
replay dirt other 6
py dirty d hvle
exits 0 "reading a dirty hive" imgtool reg get d/H 'new\new007' v
like "$(cat err)" "*entries 10 to 12 of its logs saved 41 keys and 40 values*" "says what the logs brought"
ok "writing to it" imgtool reg set d/H x y sz z
is "$(imgtool reg ls d/H | tr -d '\n')" 'many\names\new\values\x\' "keeps what the logs brought"
is "$(cat d/H.LOG1 d/H.LOG2 | wc -c | tr -d ' ')" 0 "and empties them"
py dirty d hvle middle
exits 0 "reading goes on with a damaged log" imgtool reg ls d/H
like "$(cat err)" "*stale*entries 11 to 12 are lost*" "and warns"
imgtool reg check --json d/H >doc 2>err
ok "check names it in one JSON document" python3 -c "import json; j = json.load(open('doc')); \
assert 'entries 11 to 12 are lost' in j['faults'][0]['what']"
exits 6 "writing does not" imgtool reg set d/H x y sz z
ok "but for --discard-logs" imgtool reg set --discard-logs d/H x y sz z
ok "which leaves a sound hive" imgtool reg check d/H
py dirty d hvle ahead
exits 0 "a clean hive whose logs are newer" imgtool reg ls d/H
like "$(cat err)" "*without replaying*" "is told of"

# ---- damage --------------------------------------------------------------------
cp clean D
printf 'X' | dd of=D bs=1 seek=4100 conv=notrunc 2>/dev/null
exits 8 "check finds damage" imgtool reg check D
like "$(cat out)" "E${tab}H1${tab}0x1000*" "and names rule and place"
exits 4 "a damaged hive is not read" imgtool reg ls D
exits 4 "nor written" imgtool reg set D a b sz c
# Reading foreign text must not drive the terminal.
printf '[a]\n"\033[2J"="\033]0;x\007"\n' >esc.reg
imgtool reg import E esc.reg
is "$(imgtool reg ls E a | grep -c "$(printf '\033')")" 0 "control characters are escaped"
if command -v hivexml >/dev/null; then
	is "$(foreign E | wc -l | tr -d ' ')" "$(hivexml E | wc -l | tr -d ' ')" "libhivex reads what was written"
fi
done_testing
