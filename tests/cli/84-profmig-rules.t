#!/bin/sh
# profmig's rules: mail profiles, text files, printers, layouts, shared folders.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget hivexml jq
guest xp.img xp
guest t.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
old='C:\Documents and Settings\bob'
hkcu='HKU\bob\Software'
set_() { imgtool reg set xp.img "$@" >/dev/null 2>err || cat err; }
# utf16 TEXT, ascii TEXT: as hexadecimal, with a NUL
utf16() { printf '%s\0' "$1" | iconv -t UTF-16LE | xxd -p | tr -d '\n'; }
ascii() { printf '%s\0' "$1" | xxd -p | tr -d '\n'; }
data_of() { hivexget bob.dat "$1" "$2" | xxd -p | tr -d '\n'; }
mapi="$hkcu\\Microsoft\\Windows NT\\CurrentVersion\\Windows Messaging Subsystem\\Profiles\\Outlook\\0001"
pst="$old\\Local Settings\\Application Data\\Microsoft\\Outlook\\outlook.pst"
new='C:\Users\bob\AppData\Local\Microsoft\Outlook\outlook.pst'
set_ "$mapi" 001f6700 binary "$(utf16 "$pst")"
set_ "$mapi" 001e6700 binary "$(ascii "$pst")"
set_ "$mapi" 01020fff binary "00000000$(ascii mspst.dll)$(utf16 "$pst")"
# Two entry ids: 12 and n bytes, at 20 and 32.
n=$(($(utf16 "$pst" | wc -c) / 2))
le() { printf '%08x' "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/'; }
set_ "$mapi" 11020fff binary \
	"02000000$(le 12)$(le 20)$(le "$n")$(le 32)0102030405060708090a0b0c$(utf16 "$pst")"
set_ "$mapi" 11020bad binary "ff000000$(utf16 "$pst")"
set_ "$hkcu\\ODBC\\ODBC.INI\\x" Blob binary "$(utf16 "$old\\x")"
set_ "$hkcu\\Microsoft\\Windows NT\\CurrentVersion\\Windows" Device sz \
	'Laser,winspool,LPT1:'
set_ 'HKU\bob\Keyboard Layout\Preload' 2 sz 0000BEEF
set_ 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Old' DisplayName \
	sz 'Old Tool 3 (x86)'
set_ 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\7z' DisplayName \
	sz '7-Zip 4.65 (alpha)'
set_ "$hkcu\\Microsoft\\MediaPlayer\\Preferences" Library sz "$old\\Gone\\lib"
imgtool reg set t.img 'HKLM\SYSTEM\CurrentControlSet\Control\Keyboard Layouts\00000407' \
	'Layout File' sz KBDGR.DLL >/dev/null
fox="$old\\Application Data\\Mozilla\\Firefox\\Profiles\\x"
printf 'user_pref("a", "C:\\\\Documents and Settings\\\\bob\\\\My Documents\\\\Letter 001.txt");\n' >prefs.js
printf '\377\376' >wide.ini
printf 'Path=%s\\none\r\n' "$old" | iconv -t UTF-16LE >>wide.ini
head -c 300 /dev/zero >empty.json
for dir in Mozilla 'Mozilla\Firefox' 'Mozilla\Firefox\Profiles' \
	'Mozilla\Firefox\Profiles\x'; do
	imgtool files mkdir xp.img "$old\\Application Data\\$dir" >/dev/null
done
for f in prefs.js wide.ini empty.json; do
	imgtool files put xp.img $f "$fox\\$f" 2>err || cat err
done
echo notes >notes.txt
imgtool files put xp.img notes.txt \
	'C:\Documents and Settings\All Users\Documents\shared notes.txt' 2>err || cat err

ok "extract" profmig extract xp.img -u bob -R k.pub -o b
ok "apply" profmig apply b t.img -k k
ok "verify" profmig verify b t.img -k k --json
mv out report
is "$(jq -r .yes report)" true "everything arrived"
# why NAME: outcome and reason of a value
why() { jq -r --arg n "$1" '[.people[0].values[] | select(.name == $n) |
	.outcome + ": " + (.why // "")][0]' report; }
imgtool files get t.img 'C:\Users\bob\NTUSER.DAT' bob.dat
key='Software\Microsoft\Windows NT\CurrentVersion\Windows Messaging Subsystem\Profiles\Outlook\0001'
is "$(data_of "$key" 001f6700)" "$(utf16 "$new")" "a mail file's path, UTF-16"
is "$(data_of "$key" 001e6700)" "$(ascii "$new")" "in ASCII"
is "$(data_of "$key" 01020fff)" "00000000$(ascii mspst.dll)$(utf16 "$new")" \
	"in an entry id"
n=$(($(utf16 "$new" | wc -c) / 2))
pad=$(((4 - n % 4) % 4))
is "$(data_of "$key" 11020fff)" \
	"02000000$(le 12)$(le 20)$(le "$n")$(le 32)0102030405060708090a0b0c$(utf16 "$new")$(printf "%0$((pad * 2))d" 0 | cut -c1-$((pad * 2)))" \
	"in a list of them, its table renewed"
like "$(why 11020bad)" 'dropped: is of an unknown form' "a list that is none goes"
like "$(why Blob)" 'dropped: names the old profile in a form*' \
	"so does what is not known, and names the old profile"
like "$(why Device)" 'dropped: a printer of the old computer' "a local printer"
like "$(why 2)" 'dropped: the target does not have this keyboard layout' "a layout"
like "$(why Library)" 'transformed: *does not come along' \
	"a path to nothing is said"
hivexml bob.dat >bob.xml
is "$(grep -ci 'documents and settings' bob.xml)" 0 "no old path is left"
is "$(jq -r '[.people[0].values[] | select(.key | startswith("Software\\Classes\\"))
	| .outcome] | unique | join(" ")' report)" dropped "classes are accounted for"
imgtool files get t.img \
	'C:\Users\bob\AppData\Roaming\Mozilla\Firefox\Profiles\x\prefs.js' new.js
is "$(cat new.js)" 'user_pref("a", "C:\\Users\\bob\\Documents\\Letter 001.txt");' \
	"prefs.js"
imgtool files get t.img \
	'C:\Users\bob\AppData\Roaming\Mozilla\Firefox\Profiles\x\wide.ini' new.ini
is "$(iconv -f UTF-16 new.ini | tr -d '\r')" 'Path=C:\Users\bob\none' \
	"an INI file in UTF-16"
like "$(jq -r '.people[0].items[] | select(.from | endswith("wide.ini")) | .why' report)" \
	'*not on the new computer' "what it names is missing, and said"
imgtool files get t.img \
	'C:\Users\bob\AppData\Roaming\Mozilla\Firefox\Profiles\x\empty.json' new.json
ok "what is no text is as it was" cmp new.json empty.json
imgtool files get t.img 'C:\Users\Public\Documents\shared notes.txt' public.txt
is "$(cat public.txt)" notes "what lies in the shared folders comes along"
is "$(jq -r '.["missing-programs"] | join(";")' report)" 'Old Tool 3 (x86)' \
	"programs that the target lacks are listed"
done_testing
