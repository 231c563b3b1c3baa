#!/bin/sh
# Files that profmig brought, read by wimlib on both sides.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need wimcapture wimdir mmls jq python3
imgcrypt keygen -o k --no-passphrase >/dev/null
# wim IMAGE OUT: its largest volume, as wimlib reads it
wim() {
	set -- "$1" "$2" "$(mmls "$1" | awk '/NTFS|Basic data/ && $5 > n { n = $5; s = $3 }
		END { print s + 0, n + 0 }')"
	python3 - "$1" "$3" <<'PY'
import os, sys
start, count = (int(x) * 512 for x in sys.argv[2].split())
src = os.open(sys.argv[1], os.O_RDONLY)
out = os.open("volume", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
os.ftruncate(out, count)
at = start
while at < start + count:
    try:
        at = os.lseek(src, at, os.SEEK_DATA)
    except OSError:
        break
    end = min(os.lseek(src, at, os.SEEK_HOLE), start + count)
    while at < end:
        data = os.pread(src, min(1 << 20, end - at), at)
        os.pwrite(out, data, at - start)
        at += len(data)
PY
	wimcapture volume "$2.wim" --compress=none --no-acls >/dev/null 2>err || cat err
	wimdir "$2.wim" --detailed >"$2.dir" 2>err || cat err
	rm -f volume "$2.wim"
}
cat >compare.py <<'PY'
# The same bytes, times and attributes for everything that arrives.
import json, re, sys
def load(path):
    out, cur = {}, None
    for line in open(path, errors="replace"):
        m = re.match(r'^(Full Path|Attributes|Creation Time|Last Write Time|Hash)\s*= *"?(.*?)"?$', line.rstrip("\n"))
        if not m:
            continue
        if m[1] == "Full Path":
            cur = out.setdefault(m[2].lower(), {})
        elif cur is not None:
            cur.setdefault(m[1], m[2])
    return out
old, new = load(sys.argv[1]), load(sys.argv[2])
bad = n = 0
def place(p):
    return p[2:].replace("\\", "/").lower()
for person in json.load(open(sys.argv[3]))["people"]:
    for i in person["items"]:
        if i["outcome"] != "arrives":
            continue
        a, b = old.get(place(i["from"])), new.get(place(i["to"]))
        if a is None or b is None:
            bad += 1
            print("#", i["from"], a is None, b is None)
            continue
        if isinstance(a["Attributes"], str) and int(a["Attributes"], 16) & 0x10:
            continue        # a folder, which the new profile may have had
        n += 1
        for x in (a, b):    # how it is stored, sparse or packed, is not carried
            x["Attributes"] = int(x["Attributes"], 16) & ~0xa00 \
                if isinstance(x["Attributes"], str) else x["Attributes"]
        if any(a.get(k) != b.get(k) for k in
               ("Hash", "Creation Time", "Last Write Time", "Attributes")):
            bad += 1
            print("#", i["to"], a, b)
print(n, "files,", bad, "other")
sys.exit(bad != 0 or n < 100)
PY
guest xp.img xp --german
guest win10.img win10
guest vista.img vista
guest win7.img win7
for pair in xp:win10 vista:win7; do
	from=${pair%:*} to=${pair#*:}
	profmig extract "$from.img" --all -R k.pub -o "$from.b" >/dev/null 2>err || cat err
	ok "$from to $to" profmig apply "$from.b" "$to.img" -k k
	ok "everything arrived" profmig verify "$from.b" "$to.img" -k k --json
	mv out report
	wim "$from.img" old
	wim "$to.img" new
	ok "wimlib reads the same bytes and times" \
		python3 compare.py old.dir new.dir report
	tail -n 3 out | sed 's/^/# /'
done
done_testing
