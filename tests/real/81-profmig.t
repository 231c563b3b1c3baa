#!/bin/sh
# profmig with real hives: an XP person's into what a real 7 started from.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
data=$TOP/../shared/realdata/hives
[ -d "$data" ] || skip_all "no real hives beside the project"
need hivexml hivexget jq python3
guest xp.img xp
guest t.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
# give IMAGE PATH FILE: another file in its place
give() { imgtool files rm "$1" "$2" && imgtool files put "$1" "$3" "$2"; }
ok "a real XP person" give xp.img \
	'C:\Documents and Settings\bob\NTUSER.DAT' "$data/xp-pat/NTUSER.DAT"
ok "a real 7 to start from" give t.img \
	'C:\Users\Default\NTUSER.DAT' "$data/win7-wks/NTUSER.DAT"
ok "extract" profmig extract xp.img -u bob -R k.pub -o b
cp --sparse=always t.img xp7.img
ok "apply" profmig apply b t.img -k k
ok "verify" profmig verify b t.img -k k
ok "the new hive" imgtool files get t.img 'C:\Users\bob\NTUSER.DAT' new.dat
ok "passes the checker" imgtool reg check new.dat
ok "and hivex" sh -c 'hivexml new.dat >new.xml'
oracle=$TOP/../shared/oracles/regf.py
if [ -e "$oracle" ]; then
	ok "and a reader of its own in Python" python3 "$oracle" new.dat
else
	skip "no such reader"
fi
old=$data/xp-pat/NTUSER.DAT base=$data/win7-wks/NTUSER.DAT
for v in 'Control Panel\Mouse:DoubleClickSpeed' \
	'Control Panel\Desktop:MenuShowDelay' \
	'Control Panel\International:sShortDate' \
	'Network\Z:RemotePath' \
	'Software\Microsoft\Notepad:lfFaceName'; do
	is "$(hivexget new.dat "${v%:*}" "${v##*:}")" \
		"$(hivexget "$old" "${v%:*}" "${v##*:}")" "${v##*:} is the person's"
done
for v in 'Software\Microsoft\Windows NT\CurrentVersion\Winlogon:BuildNumber' \
	'Control Panel\Colors:Window' 'Environment:TEMP'; do
	is "$(hivexget new.dat "${v%:*}" "${v##*:}" 2>&1)" \
		"$(hivexget "$base" "${v%:*}" "${v##*:}" 2>&1)" \
		"${v##*:} is the target's"
done
# The mask: the first four bytes from XP, the last four from 7.
mask() { hivexregedit --export "$1" '\Control Panel\Desktop' |
	sed -n 's/^"UserPreferencesMask"=hex([0-9]*)://p;s/^"UserPreferencesMask"=hex://p'; }
is "$(mask new.dat)" "$(mask "$old"),$(mask "$base" | cut -d, -f5-8)" \
	"UserPreferencesMask is of both"
# ---- every value of the old hive, against the list that was reviewed ----
profmig plan b xp7.img -k k --json >plan.json 2>err || cat err
jq -r -f "$TOP/tests/real/golden.jq" plan.json >golden
ok "what becomes of every value is as reviewed" \
	diff "$TOP/tests/real/xp-to-7.golden" golden
cat out
hivexml "$base" >base.xml
cat >kept.py <<'PY'
# Everything of the target's hive is as it was, but for what the plan says.
import json, sys
import xml.etree.ElementTree as ET
def values(path):
    out = {}
    def walk(n, at):
        for c in n:
            if c.tag == "node":
                walk(c, at + [c.get("name") or ""])
            elif c.tag == "value":
                k = ("\\".join(at[1:]).lower(), (c.get("key") or "").lower())
                out[k] = (c.get("type"), c.get("value"), c.text,
                          tuple((s.text or "") for s in c))
    walk(ET.parse(path).getroot(), [])
    return out
base, new = values("base.xml"), values("new.xml")
person = json.load(open("plan.json"))["people"][0]
brought = {(v["to-key"].lower(), v["to-name"].lower())
           for v in person["values"] if v["outcome"] != "dropped"}
lost = [k for k in base if k not in new]
other = [k for k in base if k in new and base[k] != new[k] and k not in brought]
more = [k for k in new if k not in base and k not in brought]
print(len(base), len(new), lost[:3], other[:3], more[:3])
sys.exit(bool(lost or other or more) or len(base) < 1000)
PY
ok "the target's own values are all there, and nothing else" python3 kept.py
cat out
done_testing
