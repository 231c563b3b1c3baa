#!/bin/sh
# profmig and profiles that are not as they should be, on either side.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need jq
imgcrypt keygen -o k --no-passphrase >/dev/null
guest xp.img xp
guest win7.img win7
list='HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList'
sid_of() { profmig users "$1" | awk -F'\t' -v n="$2" '$1 == n { print $3; exit }'; }
bob=$(sid_of xp.img bob)
# with NAME COMMAND...: xp.img changed so, as odd.img
with() { rm -rf odd.img*; cp --sparse=always xp.img odd.img
	 ok "$1" imgtool "$2" "$3" odd.img "$4" "$5" "$6" "$7"; }
home='C:\Documents and Settings\bob'

with "a roaming profile" reg set "$list\\$bob" CentralProfile sz '\\srv\profiles\bob'
ok "is extracted" profmig extract odd.img -u bob -R k.pub -o roaming
like "$(cat err)" '*bob: a roaming profile*srv*newer*' "and where a newer one may be"
like "$(profmig users odd.img)" '*roaming*' "users says so"

with "a temporary profile" reg set "$list\\$bob" State dword 0x800
exits 8 "is not extracted" profmig extract odd.img -u bob -R k.pub -o c
says '*bob*a temporary profile*' "and why"
ok "the others are" profmig extract odd.img --all -R k.pub -o temp
like "$(cat err)" '*bob: left out: a temporary profile*' "and it is said"
is "$(profmig show temp -k k --json 2>err | jq -r '[.people[].name] | join(" ")')" \
	alice "they alone"

with "a profile that Windows set aside" reg set "$list\\$bob.bak" \
	ProfileImagePath expand_sz "$home"
ok "and its substitute" imgtool reg set odd.img "$list\\$bob" ProfileImagePath \
	expand_sz 'C:\Documents and Settings\TEMP'
ok "everybody" profmig extract odd.img --all -R k.pub -o bak
is "$(profmig show bak -k k --json 2>err | jq -r '[.people[] | select(.name == "bob").profile] | join(" ")')" \
	"$home" "the one set aside is the person's"

rm -rf odd.img*; cp --sparse=always xp.img odd.img
imgtool files get odd.img "$home\\NTUSER.DAT" hive
ok "no NTUSER.DAT" imgtool files rm odd.img "$home\\NTUSER.DAT"
exits 8 "is not extracted" profmig extract odd.img -u bob -R k.pub -o c
says '*bob*no NTUSER.DAT*' "and why"
ok "a mandatory profile" imgtool files put odd.img hive "$home\\NTUSER.MAN"
exits 8 "is not extracted" profmig extract odd.img -u bob -R k.pub -o c
says '*bob*mandatory*' "and why"
head -c 8000 hive >short
ok "a broken hive" imgtool files put odd.img short "$home\\NTUSER.DAT"
exits 7 "that person fails, the others do not" \
	profmig extract odd.img --all -R k.pub -o broken
like "$(cat err)" '*bob: failed: *NTUSER.DAT*1 of 2 people failed*' "and why"
exits 4 "alone, it is the error" profmig extract odd.img -u bob -R k.pub -o c

guest dirty.img xp --dirty-hive
for n in alice bob; do
	imgtool files rm dirty.img \
		"C:\\Documents and Settings\\$n\\NTUSER.DAT.LOG" >/dev/null 2>&1
done
exits 7 "a hive whose logs are gone" profmig extract dirty.img --all -R k.pub -o d
like "$(cat err)" '*failed: NTUSER.DAT has lost its last changes*discard-logs*' \
	"what to do"

# ---- several people ----
ok "two by name, one twice" profmig extract xp.img -u alice -u bob -u alice \
	-R k.pub -o two
people() { profmig show "$1" -k k --json 2>err | jq -r '[.people[].name] | join(" ")'; }
is "$(people two)" "alice bob" "each once"
ok "everybody active lately" profmig extract xp.img --active 36500 -R k.pub -o active
is "$(people active)" "alice bob" "in a hundred years, all"
exits 8 "in a day, nobody" profmig extract xp.img --active 1 -R k.pub -o c
for what in docs all none; do
	ok "--outside $what" profmig extract xp.img --all --outside $what -R k.pub \
		-o out.$what
	profmig show out.$what -k k --json --items 2>err >$what.json
done
outside() { jq "[.people[].files[].path |
	select(test(\"Documents and Settings\") | not)] | length" "$1.json"; }
is "$(outside none)" 0 "none is none"
ok "all is more than documents" [ "$(outside all)" -ge "$(outside docs)" ]
is "$(jq '[.people[].files[].path | select(test("Documents and Settings") | not)]
	| length - (unique | length)' all.json)" 0 "nobody takes what is another's"

# ---- names and places ----
rm -rf odd.img*; cp --sparse=always xp.img odd.img
ok "a path of 30,000 characters" \
	env ODD_IMAGE=odd.img ODD_HOME='Documents and Settings/bob/My Documents' \
	"$BUILD/tests/test_profmig_odd"
ok "extracted" profmig extract odd.img -u bob -R k.pub -o odd
cp --sparse=always win7.img t.img
ok "applied" profmig apply odd t.img -k k
ok "proven" profmig verify odd t.img -k k --json
mv out report
is "$(jq -r '[.people[0].items[] | select(.from | endswith("deep.txt"))
	| (.outcome, (.to | length > 29000))] | join(" ")' report)" \
	"arrives true" "the deep file arrived"

guest d.img xp --system-drive-d
ok "profiles on drive D:" profmig extract d.img --all -R k.pub -o drive
is "$(profmig show drive -k k --json 2>err | jq -r '.people[0].profile[0:3]')" \
	'D:\' "there"
cp --sparse=always win7.img t.img
ok "come to C:" profmig apply drive t.img -k k
ok "proven" profmig verify drive t.img -k k
guest v.img vista
ok "junctions that lead into themselves" profmig extract v.img --all -R k.pub -o v
is "$(profmig show v -k k --json --items 2>err | jq '[.people[].files[].path |
	select(test("Application Data.*Application Data"))] | length')" 0 \
	"are not followed"

# ---- targets ----
was=$(sum_of v.img)
exits 3 "Vista is no target" profmig apply temp v.img -k k
is "$(sum_of v.img)" "$was" "left alone"
truncate -s 800M big
truncate -s 1300M bigger
rm -rf odd.img*; cp --sparse=always xp.img odd.img
ok "a large file" imgtool files put odd.img big "$home\\My Documents\\big"
ok "extracted" profmig extract odd.img -u bob -R k.pub -o big.b
ok "a full target" imgtool files put win7.img bigger 'C:\full'
was=$(sum_of win7.img)
exits 6 "gets nothing" profmig apply big.b win7.img -k k
like "$(cat err)" '*bob: needs * MiB, the target has * MiB free*' "told before"
is "$(sum_of win7.img)" "$was" "nothing was written"
done_testing
