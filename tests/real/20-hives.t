#!/bin/sh
# Hives that real Windows wrote, judged by a checker that is not ours.
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC1003 # a backslash is the root key
. tests/tap.sh
need python3 hivexml
REAL=$TOP/../shared/realdata
ORACLES=$TOP/../shared/oracles
[ -d "$REAL/hives" ] || skip_all "no real hives beside the project"
[ -f "$ORACLES/regf.py" ] || skip_all "no foreign checker beside the project"

# judge OLD NEW [LOG...]: the same tree in all fields, and no rule broken in NEW
cat >judge.py <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import regf, rebuild

def up(n):
    return tuple(regf.UP[c] for c in n)

def fields(k, path=()):
    n = tuple(rebuild.wname(k.name, k.flags & 0x20))
    vals = [(tuple(rebuild.wname(v.name, v.flags & 1 or not v.name)), v.type, v.data, v.flags & ~1, v.spare)
            for v in k.vals]
    out = [(path, n, k.flags & ~0x20, k.ts, k.acc, k.cls, k.sd, k.mxhi, k.tail, vals)]
    for s in sorted(k.subs, key=lambda s: up(rebuild.wname(s.name, s.flags & 0x20))):
        out += fields(s, path + (n,))
    return out

old, new = (open(f, 'rb').read() for f in sys.argv[2:4])
logs = {f: open(f, 'rb').read() for f in sys.argv[4:]}
if logs:
    old, _ = regf.replay(old, logs, [])
c = regf.Check(new)
c.run()
bad = [r for r in c.n if not r.endswith('(I)')]
same = fields(rebuild.load(old)[1]) == fields(rebuild.load(new)[1])
print('same' if same else 'other tree', *bad)
PY
judge() { python3 judge.py "$ORACLES" "$@" 2>&1 | tail -n 1; }

# Names, times of keys, types and data as libhivex prints them, without the time of
# the file (the first) and where things lie.
xml() {
	hivexml -k "$1" >raw.xml 2>xml.err || return 1
	sed '2s/<mtime>[^<]*<.mtime>//; s/<byte_run[^>]*>//g; s/<.byte_runs*>//g' raw.xml >"$2"
}

# rewrite HIVE: the canonical form of the same tree
rewrite() {
	imgtool reg set "$1" '\' halcyon-test sz x && imgtool reg delete "$1" '\' halcyon-test
}

find "$REAL/hives" -type f ! -iname '*.log*' | sort >hives
while read -r h; do
	name=${h#"$REAL"/hives/}
	rm -rf w
	mkdir w
	cp "$h"* w/ 2>/dev/null || cp "$h" w/
	chmod u+w w/*
	base=w/$(basename "$h")
	set --
	for log in "$h".LOG1 "$h".LOG2; do [ ! -e "$log" ] || set -- "$@" "$log"; done
	python3 "$ORACLES/regf.py" "$h" "$@" >facts 2>&1
	# What the oracle passes has no line of a rule but notes and warnings.
	if grep -Eq '^   [A-Z][0-9]+-[^ ]*[^) ] ' facts || grep -q 'REPLAY ERROR' facts; then
		printf '%s\n' "$h" >>damaged
		continue
	fi
	# The oracle keeps the root's time, which an edit changes: set it back.
	cp "$base" before
	imgtool reg replay "$base" >/dev/null 2>err || cat err
	cp "$base" replayed
	if rewrite "$base" 2>err; then
		python3 - "$base" replayed <<'PY'
import struct, sys
new, old = (bytearray(open(f, 'rb').read()) for f in sys.argv[1:3])
a, b = (struct.unpack_from('<I', d, 36)[0] + 4096 + 8 for d in (new, old))
new[a:a + 8] = old[b:b + 8]
open(sys.argv[1], 'wb').write(new)
PY
		is "$(judge "$h" "$base" "$@")" same "$name: written, the same tree, no rule broken"
		if xml replayed old.xml; then
			xml "$base" new.xml
			is "$(cksum <new.xml)" "$(cksum <old.xml)" \
				"$name: libhivex reads the same names, times and values"
		else
			skip "$name: libhivex cannot read the original"
		fi
		ok "$name: our checker agrees" imgtool reg check "$base"
	else
		tap "not ok" "$name: written"
		sed 's/^/# /' err
	fi
done <hives

# ---- damaged ones: what the checker names ---------------------------------------
while read -r h; do
	echo "== ${h#"$REAL"/hives/}"
	imgtool reg check "$h" 2>err
	sed "s|$REAL/hives/||g; s|^imgtool: ||" err
done <damaged | sed "s|$REAL/hives/||g" >named
is "$(diff "$TOP/tests/real/hives-damaged.txt" named)" "" "damaged hives: rules, offsets and keys"

# ---- replay: what Windows itself made of it --------------------------------------
cp -r "$REAL/hives/yarp/OldDirtyHive" old
chmod -R u+w old
ok "a hive of Windows 7 and its log" imgtool reg replay old/OldDirtyHive
python3 - old/OldDirtyHive old/RecoveredHive_Windows7 >out <<'PY'
import sys
a, b = (open(f, 'rb').read() for f in sys.argv[1:3])
size = int.from_bytes(b[40:44], 'little') + 4096
where = lambda i: 'sequence' if 4 <= i < 12 else 'time' if 12 <= i < 20 else \
    'file name' if 48 <= i < 112 else 'checksum' if 508 <= i < 512 else \
    'time of the first bin' if 4116 <= i < 4124 else 'cell %#x' % (i // 8 * 8)
print(', '.join(dict.fromkeys(where(i) for i in range(size) if a[i] != b[i])), len(a) == size)
PY
# The cell is a key's, whose longest value name Windows wrote down after loading it.
is "$(cat out)" "sequence, time, file name, checksum, time of the first bin, cell 0x6bdc8 True" \
	"differs from what Windows 7 recovered only where Windows stamps and names"

cp -r "$REAL/hives/win10-dirty-ntuser" new
chmod -R u+w new
exits 0 "a hive of Windows 10 and its logs" imgtool reg replay new/NTUSER.DAT
is "$(head -n 1 out)" "replayed entries 566 to 588" "which entries"
n=$REAL/hives/win10-dirty-ntuser/NTUSER.DAT
python3 "$ORACLES/regf.py" "$n" "$n.LOG1" "$n.LOG2" -o want >/dev/null
is "$(head -c "$(wc -c <new/NTUSER.DAT)" want | cksum)" "$(cksum <new/NTUSER.DAT)" "byte for byte as another replay"

# ---- security: a SID translated on every key ---------------------------------------
cat >sids.py <<'PY'
import struct, sys
sys.path.insert(0, sys.argv[1])
import regf, rebuild

def sid(s, o):
    n = s[o + 1]
    return 'S-1-%d' % s[o + 7] + ''.join('-%d' % x for x in struct.unpack_from('<%dI' % n, s, o + 8))

def acl(s, o):
    if not o:
        return None
    at, out = o + 8, []
    for _ in range(struct.unpack_from('<H', s, o + 4)[0]):
        typ, flags, size, mask = struct.unpack_from('<BBHI', s, at)
        assert typ in (0, 1, 2, 0x11)
        out.append((typ, flags, mask, sid(s, at + 8)))
        at += size
    return out

def facts(k, path, out):
    own, grp, sacl, dacl = struct.unpack_from('<4I', k.sd, 4)
    out.append((path, k.sd[2:4], sid(k.sd, own), sid(k.sd, grp), acl(k.sd, sacl), acl(k.sd, dacl)))
    for s in k.subs:
        facts(s, path + (s.name,), out)
    return out

a, b = (facts(rebuild.load(open(f, 'rb').read())[1], (), []) for f in sys.argv[2:4])
old, new = sys.argv[4:6]

def swap(x):
    if isinstance(x, (tuple, list)):
        return type(x)(swap(y) for y in x)
    return new if x == old else x

want = [swap(x) for x in a]
print(want == b, sum(x != y for x, y in zip(a, b)))
PY
from=S-1-5-21-2036804247-3058324640-2116585241-1673
for to in S-1-5-21-1-2-3-1001 S-1-12-1-1-2-3-4-5-6-7; do
	translated=$("$BUILD/tests/test_hive_sids" "$REAL/hives/win7-wks/NTUSER.DAT" sids "$from" "$to")
	is "$(python3 sids.py "$ORACLES" "$REAL/hives/win7-wks/NTUSER.DAT" sids "$from" "$to")" \
		"True $translated" "$to: on each of $translated keys, and nothing else"
	is "$(python3 "$ORACLES/regf.py" sids | tail -n +2)" "" "$to: no rule broken"
done

# A log of another hive, or of an older state, is not applied.
cp -r "$REAL/hives/yarp/OldDirtyHive" other
chmod -R u+w other
cp "$n.LOG1" other/OldDirtyHive.LOG1
exits 6 "a log of another hive" imgtool reg replay other/OldDirtyHive
cp "$n" other/N
cp "$n.LOG2" other/N.LOG2
exits 6 "an older log alone" imgtool reg replay other/N
cp "$REAL/hives/yarp/OldDirtyHive/OldDirtyHive.LOG1" other/N.LOG1
exits 6 "with one of another hive" imgtool reg replay other/N
ok "nothing was written" cmp other/N "$n"

# ---- .reg files of phony guests, beside hivexregedit -------------------------------
if command -v hivexregedit >/dev/null; then
	for f in "$REAL"/guests-reg/*.reg; do
		name=$(basename "$f")
		prefix=$(sed -n 's/^\[\(HKEY_LOCAL_MACHINE\\[A-Z]*\).*/\1/p' "$f" | head -n 1)
		cp "$REAL/hives/yarp/EmptyHive" a
		cp a b
		chmod u+w a b
		set --
		[ -z "$prefix" ] || set -- --prefix "$prefix"
		ok "$name: import" imgtool reg import "$@" a "$f"
		is "$(python3 "$ORACLES/regf.py" a | tail -n +2)" "" "$name: no rule broken"
		if hivexregedit --merge b "$@" "$f" 2>err; then
			for h in a b; do xml $h all.xml && sed 's/<mtime>[^<]*<.mtime>//g' all.xml >$h.xml; done
			# It drops the backslash of "C:\Windows"; regedit writes "C:\\Windows".
			sed -i 's/"C:Windows"/"C:\\Windows"/g' b.xml
			is "$(cksum <a.xml)" "$(cksum <b.xml)" "$name: the same as hivexregedit makes of it"
		else
			# It creates no parents; ours are right.
			like "$(cat err)" "*parent*does not exist*" "$name: hivexregedit gives up on it"
			is "$(imgtool reg export "$@" a | grep -c '^\[')" \
				"$(imgtool reg export "$@" a | grep '^\[' | sort -u | wc -l | tr -d ' ')" "$name: every key once"
		fi
	done
else skip "hivexregedit is not installed"; fi
done_testing
