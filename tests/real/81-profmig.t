#!/bin/sh
# profmig with real hives: an XP person's into what a real 7 started from.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
data=$TOP/../shared/realdata/hives
[ -d "$data" ] || skip_all "no real hives beside the project"
need hivexml hivexget jq
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
done_testing
