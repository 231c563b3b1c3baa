#!/bin/sh
# profmig and accounts: made on the target, mapped, their SIDs translated.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need hivexget hivexregedit chntpw jq

guest xp.img xp
guest t.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
sid_of() { profmig users "$1" | awk -F'\t' -v n="$2" '$1 == n { print $3 }'; }
old=$(sid_of xp.img alice)
# The old SID in a value, in binary, and in the name of a key.
hex=$(python3 -c "
import struct, sys
p = [int(x) for x in sys.argv[1].split('-')[3:]]
print((bytes([1, len(p)]) + bytes([0, 0, 0, 0, 0, 5]) +
       struct.pack('<%dI' % len(p), *p)).hex())" "$old")
key='HKU\alice\Software\ODBC\ODBC.INI'
ok "a SID in text" imgtool reg set xp.img "$key" Owner sz "own=$old; of"
ok "in binary" imgtool reg set xp.img "$key" Blob binary "ffee${hex}01"
ok "in a key's name" imgtool reg set xp.img "$key\\${old}_x" a sz b
ok "extract" profmig extract xp.img --all -R k.pub -o b
was=$(sum_of t.img)
exits 8 "no such account" profmig apply -q b t.img -k k -u alice --as eve
says '*eve*--create-accounts*' "and how to have it made"
ok "made" profmig apply b t.img -k k -u alice --as eve --create-accounts
like "$(cat out)" '*without a password*another account than before*' \
	"said plainly"
ok "arrives" profmig verify b t.img -k k -u alice --as eve
eve=$(sid_of t.img eve)
like "$eve" "$(sid_of t.img carol | sed 's/-[0-9]*$/-/')*" "of this machine"
now=$(sum_of t.img)
ok "again" profmig apply b t.img -k k -u alice --as eve --create-accounts
is "$(sum_of t.img)" "$now" "writes nothing"

# ---- the SAM, by two foreign readers ----
imgtool files get t.img 'C:\Windows\System32\config\SAM' sam
rid=$(printf %08X "${eve##*-}")
chntpw -l sam >list 2>/dev/null
is "$(grep -c "| $(echo "$rid" | cut -c5- | tr A-F a-f) | eve " list)" 1 \
	"chntpw lists the account"
chntpw -u eve sam </dev/null >user 2>/dev/null
like "$(tr '\n' ' ' <user)" '*\[X\] Passwd not req*\[X\] Normal account*No NT MD4 hash*' \
	"an account without a password"
hivexregedit --export sam '\SAM\Domains' >sam.reg
is "$(grep -A1 "Names.eve\\]" sam.reg | tail -1)" "@=hex($(echo "$rid" | tr A-F a-f | sed 's/^0*//')):" \
	"its name has its number"
is "$(grep -A1 'Account.Users\]' sam.reg | tail -1)" "@=hex(5):" "users are counted"
like "$(grep -A1 "Members.S-1-5-21.*$rid\\]" sam.reg | tail -1)" '*21,02,00,00' \
	"a member of Users"
like "$(hivexget sam 'SAM\Domains\Builtin\Aliases\00000221' C | xxd -p | tr -d '\n')" \
	"*$(python3 -c "
import struct, sys
p = [int(x) for x in sys.argv[1].split('-')[3:]]
print(struct.pack('<%dI' % len(p), *p).hex())" "$eve")" "which knows it"
oracle=$TOP/../shared/oracles/regf.py
if [ -e "$oracle" ]; then
	ok "a checker of its own in Python" python3 "$oracle" sam
	is "$(sed 1d out)" "" "finds nothing"
else
	skip "no such checker"; skip "no such checker"
fi

# ---- SIDs in the registry ----
imgtool files get t.img 'C:\Users\eve\NTUSER.DAT' eve.dat
is "$(hivexget eve.dat 'Software\ODBC\ODBC.INI' Owner)" "own=$eve; of" \
	"a SID in text is translated"
is "$(hivexget eve.dat "Software\\ODBC\\ODBC.INI\\${eve}_x" a)" b \
	"and in a key's name"
like "$(hivexget eve.dat 'Software\ODBC\ODBC.INI' Blob | xxd -p | tr -d '\n')" \
	"ffee*$(printf '%08x' "${eve##*-}" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')01" \
	"and in binary data"
hivexml eve.dat >eve.xml
is "$(grep -c "$old" eve.xml)" 0 "the old one is nowhere"
ok "revert" profmig revert t.img
is "$(sum_of t.img)" "$was" "also takes back the account"

# ---- a list ----
printf '\357\273\277# old,new\r\nalice , mallory\r\n\r\nCORP\\bob,carol\r\n' >map
ok "by a list" profmig plan b t.img -k k --map map --create-accounts -o p.yaml
like "$(cat out)" '*alice -> C:\\Users\\mallory (new)*bob -> C:\\Users\\carol (merged)*' \
	"each to their own"
ok "the plan is applied without the list" profmig apply b t.img p.yaml -k k
ok "and proven with it" profmig verify b t.img -k k --map map
ok "undone" imgtool undo t.img
for bad in 'alice' 'alice,' 'a,b,c' "a,b
a,c" 'S-1-5-21-1-2-3-1000,S-1-5-21-1-2-3'; do
	echo "$bad" >bad.map
	exits 2 "a bad list" profmig plan b t.img -k k --map bad.map
	says '*bad.map:?:*' "its line"
done
printf 'alice,carol\nbob,carol\n' >two.map
exits 2 "two people into one account" profmig plan -q b t.img -k k --map two.map
says '*alice and bob*carol*' "both named"

# ---- where an account cannot be made ----
for name in 'a:b' 'far too long for an account' 'dot.'; do
	exits 2 "no name for an account: $name" profmig plan b t.img -k k \
		-u alice --as "$name" --create-accounts
done
exits 6 "a group's name" profmig plan b t.img -k k -u alice --as Users \
	--create-accounts
cp --sparse=always t.img dc.img
ok "a domain controller" imgtool reg set dc.img \
	'HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions' ProductType sz LanmanNT
exits 6 "gets no local account" profmig apply -q b dc.img -k k -u alice --as eve \
	--create-accounts
says '*domain controller*' "and why"
ok "a generalised target" imgtool reg set dc.img \
	'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State' ImageState \
	sz IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE
was=$(sum_of dc.img)
exits 6 "gets no profile" profmig apply b dc.img -k k
is "$(sum_of dc.img)" "$was" "nothing was written"
done_testing
