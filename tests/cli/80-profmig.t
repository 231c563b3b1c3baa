#!/bin/sh
# profmig: two people from XP to 7, judged by sleuthkit, hivex and liblnk.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need icat fls istat hivexml hivexget lnkinfo jq

guest xp.img xp
guest t.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
imgcrypt keygen -o other --no-passphrase >/dev/null
old=63 new=206848
# stamp FILE: changes whenever the file is written
stamp() { stat -c '%y %b' "$1"; }
# inode IMAGE OFFSET PATH
inode() { fls -rp -o "$2" "$1" | awk -F'\t' -v p="$3" \
	'$2 == p { sub(/^[^ ]* /, "", $1); sub(/:.*/, "", $1); print $1 }'; }
# file IMAGE OFFSET PATH: its bytes
file() { icat -o "$2" "$1" "$(inode "$@")"; }

# ---- who is there ----
ok "users" profmig users xp.img
is "$(cut -f1,2 out | sort | tr '\t\n' ' ;')" "alice local;bob domain;" \
	"a local and a domain user"
before=$(stamp xp.img)
ok "extract both" profmig extract xp.img --all -R k.pub -o b
is "$(stamp xp.img)" "$before" "the old disk is as it was"
exits 2 "an existing bundle stays" profmig extract xp.img --all -R k.pub -o b
exits 8 "nobody of that name" profmig extract xp.img -u eve -R k.pub -o c
says '*eve*profmig users*' "and how to see who is there"
is "$(ls c 2>/dev/null)" "" "no half-written bundle"
grep -c HALCYON-PLAINTEXT b >count
is "$(cat count)" 0 "a bundle shows no file's text"
exits 5 "another key" profmig show b -k other
ok "show" profmig show b -k k --json
is "$(jq -r '[.people[].name] | join(" ")' out)" "alice bob" "who is in it"

# ---- plan and apply ----
was=$(stamp t.img) virgin=$(sum_of t.img)
ok "plan" profmig plan b t.img -k k -u bob -o plan.yaml
is "$(stamp t.img)" "$was" "planning changes nothing"
ok "the plan is a change set" grep -q 'ProfileImagePath' plan.yaml
ok "dry run" profmig apply b t.img -k k -u bob -n
is "$(stamp t.img)" "$was" "a dry run changes nothing"
exits 8 "verify before: no" profmig verify b t.img -k k -u bob
ok "apply the plan" profmig apply b t.img plan.yaml -k k
first=$(sum_of t.img)
ok "apply the other" profmig apply b t.img -k k -u alice
ok "verify" profmig verify b t.img -k k
like "$(cat out)" '*everything arrived*' "says so"
now=$(sum_of t.img)
ok "apply again" profmig apply b t.img -k k
is "$(sum_of t.img)" "$now" "writes nothing"

# ---- why, and back ----
ok "why a value is as it is" profmig why t.img \
	'HKU\bob\Control Panel\Desktop\UserPreferencesMask'
like "$(cat out)" '*transformed, rule desktop: newer Windows*(change set 1)' \
	"its rule and its reason"
ok "by its old name" profmig why t.img \
	'c:\documents and settings\BOB\Desktop\Gone.lnk'
like "$(cat out)" '*dropped, rule user-files: its target is not*' \
	"why it stayed behind"
ok "a step of the program" profmig why t.img 'C:\Users\bob' --json
is "$(jq -r '.answers[0] | .rule' out)" new-profile "as JSON"
exits 8 "nothing is known" profmig why t.img 'C:\Users\carol\x'
mkdir keep
cp -r --sparse=always t.img t.img.changes t.img.undo keep
ok "revert, dry" profmig revert t.img -n
is "$(sum_of t.img)" "$now" "changes nothing"
ok "revert" profmig revert t.img
is "$(sum_of t.img)" "$first" "gives the image from before the last apply"
ok "revert once more" profmig revert t.img
is "$(sum_of t.img)" "$virgin" "and the one from before"
exits 8 "there is nothing more to take back" profmig revert t.img
# What somebody changed since stays.
rm -rf t.img && mv keep/* .
echo new >new.txt
ok "somebody works with it" imgtool files put t.img new.txt \
	'C:\Users\alice\Desktop\new.txt'
ok "and changes a file" sh -c "imgtool files rm t.img \
	'C:\Users\alice\Desktop\To do.txt' && echo ready |
	imgtool files put t.img - 'C:\Users\alice\Desktop\To do.txt'"
ok "revert after that" profmig revert t.img
like "$(cat err)" '*To do.txt*changed since, and stays*' "tells what stays"
is "$(file t.img $new 'Users/alice/Desktop/To do.txt')" ready "and it does"
exits 8 "what was brought is gone" imgtool files stat t.img \
	'C:\Users\alice\Documents\Four times.txt'
ok "undone" imgtool undo t.img
ok "and what somebody did" sh -c "imgtool undo t.img && imgtool undo t.img &&
	imgtool undo t.img"
ok "the profile is whole again" profmig apply b t.img -k k

# ---- files, as sleuthkit reads them ----
fls -rpF -o $old xp.img | awk -F'\t' '{ sub(/^[^ ]* /, "", $1);
	sub(/:$/, "", $1); print $1 "\t" $2 }' |
	grep 'Documents and Settings/bob/My Documents/' |
	grep -v 'desktop.ini\|:' | awk 'NR % 4 == 0' >files
fls -rpF -o $new t.img | awk -F'\t' '{ sub(/^[^ ]* /, "", $1);
	sub(/:$/, "", $1); print $1 "\t" $2 }' >there
bad=0 n=0
while IFS='	' read -r i path; do
	to=Users/bob/Documents/${path#*My Documents/}
	case $path in
	*"/My Pictures/"*) to=Users/bob/Pictures/${path#*My Pictures/} ;;
	*"/My Music/"*) to=Users/bob/Music/${path#*My Music/} ;;
	*"/My Videos/"*) to=Users/bob/Videos/${path#*My Videos/} ;;
	esac
	j=$(awk -F'\t' -v p="$to" '$2 == p { print $1; exit }' there)
	a=$(icat -o $old xp.img "$i" | sha256sum)
	b=$(icat -o $new t.img "${j:-0}" 2>/dev/null | sha256sum)
	n=$((n + 1))
	[ "$a" = "$b" ] || { bad=$((bad + 1)); echo "# $path"; }
done <files
ok "there are documents" [ "$n" -gt 20 ]
is "$bad" 0 "every document has the same bytes in its new place"

stamps() { istat -o "$2" "$1" "$(inode "$@")" |
	sed -n '/STANDARD_INFORMATION/,/FILE_NAME/p' |
	grep -E 'Created|File Modified|MFT Modified'; }
is "$(stamps t.img $new 'Users/bob/Documents/Four times.txt')" \
	"$(stamps xp.img $old 'Documents and Settings/bob/My Documents/Four times.txt')" \
	"with its times"
ok "and its streams" sh -c "fls -rp -o $new t.img |
	grep -q 'bob/Documents/Downloaded.txt:Zone.Identifier'"

is "$(inode t.img $new 'Users/bob/Desktop/Budget (same file).csv' | cut -d- -f1)" \
	"$(inode t.img $new Users/bob/Documents/Budget.csv | cut -d- -f1)" \
	"two names of one file stay two names of one file"

# ---- the hives ----
file t.img $new Users/bob/NTUSER.DAT >bob.dat
ok "hivex reads the new hive" hivexml bob.dat
file t.img $new Windows/System32/config/SOFTWARE >software
sid=S-1-5-21-2000478354-1708537768-1957994488-1104
is "$(hivexget software "Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\$sid" ProfileImagePath)" \
	'C:\Users\bob' "the profile is registered"
file xp.img $old 'Documents and Settings/bob/NTUSER.DAT' >old.dat
for v in 'Mouse SwapMouseButtons' 'Mouse DoubleClickSpeed' \
	'Desktop MenuShowDelay' 'Desktop ScreenSaveTimeOut' \
	'Desktop WheelScrollLines' 'Keyboard KeyboardDelay' \
	'International sShortDate'; do
	key="Control Panel\\${v% *}" name=${v#* }
	is "$(hivexget bob.dat "$key" "$name")" \
		"$(hivexget old.dat "$key" "$name")" "$name arrived"
done
is "$(hivexget bob.dat 'Network\Z' RemotePath)" '\\fileserver\bob' \
	"a mapped drive"
is "$(hivexget bob.dat 'Control Panel\International' LocaleName)" de-DE \
	"what newer Windows derives is derived"
hivexml bob.dat >bob.xml
is "$(grep -c 'Documents and Settings' bob.xml)" 0 \
	"no path of the old profile is left"
file t.img $new 'Users/bob/Desktop/First letter.lnk' >first.lnk
lnkinfo first.lnk >info
ok "a link points to the new place" \
	grep -qF '%USERPROFILE%\Documents\Letter 001.txt' info
is "$(inode t.img $new 'Users/bob/Desktop/Gone.lnk')" "" \
	"one whose program is not there stays behind"

# ---- what a logon looks at, one thing broken at a time ----
list='HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList'
ok "a temporary profile's State" \
	imgtool reg set t.img "$list\\$sid" State dword 0x800
exits 8 "verify fails" profmig verify b t.img -k k -u bob
like "$(cat out)" '*wrong: bob would get a temporary profile*State 0x800*' \
	"and names it"
ok "undone" imgtool undo t.img
ok "a path of the old profile in the hive" imgtool reg set t.img \
	'HKU\bob\Environment' OLD sz 'C:\Documents and Settings\bob\x'
exits 8 "verify finds it" profmig verify b t.img -k k -u bob
like "$(cat out)" '*Environment: OLD still names the old profile*' \
	"and names it"
ok "undone" imgtool undo t.img
ok "a file lost" imgtool files rm t.img 'C:\Users\bob\Desktop\To do.txt'
exits 8 "verify misses it" profmig verify b t.img -k k -u bob
like "$(cat out)" '*not as it should be: file*To do.txt*' "and names it"
ok "undone" imgtool undo t.img
ok "all is well again" profmig verify b t.img -k k -u bob

# ---- as somebody else ----
ok "into another account's profile" \
	profmig apply b t.img -k k -u alice --as carol
ok "is proven too" profmig verify b t.img -k k -u alice --as carol

# ---- refusals ----
exits 8 "no such account" profmig plan b t.img -k k -u alice --as eve
exits 2 "--as needs one person" profmig plan b t.img -k k --as carol
exits 3 "XP is no target" profmig plan b xp.img -k k
guest h.img win7 --hibernated
was=$(stamp h.img)
exits 6 "a sleeping target" profmig apply b h.img -k k
is "$(stamp h.img)" "$was" "is left alone"
mkdir rules
printf 'rule: x\nabout: y\nregistry:\n  - key: A\n    do: fly\n' >rules/x.yaml
exits 2 "an unknown transform" profmig plan b t.img -k k --rules rules
says '*rules/x.yaml:5:*' "its line"
head -c 100000 b >short.bundle
exits 4 "a truncated bundle" profmig show short.bundle -k k
done_testing
