#!/bin/sh
# What a logon looks at, each fact broken by itself, on a profile we made.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
guest xp.img xp
guest t.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
profmig extract xp.img -u alice -R k.pub -o b >/dev/null
ok "a person with a new account and a new profile" \
	profmig apply b t.img -k k --as eve --create-accounts
sid=$(profmig users t.img | awk -F'\t' '$1 == "eve" { print $3 }')
# Somebody who has logged on has classes as well.
imgtool files get t.img 'C:\Users\eve\NTUSER.DAT' classes
imgtool files put t.img classes \
	'C:\Users\eve\AppData\Local\Microsoft\Windows\UsrClass.dat'
ok "every fact broken is found and named" env CMOCKA_MESSAGE_OUTPUT=TAP LOGON_IMAGE=t.img \
	LOGON_SID="$sid" LOGON_HOME=Users/eve "$BUILD/tests/test_windows_logon"
is "$(grep -c "^ok" out) $(grep -c SKIP out)" "4 0" "all of them"
# The account itself.
rid=${sid##*-}
ok "an account that is gone" imgtool reg delete t.img \
	'HKLM\SAM\SAM\Domains\Account\Users\Names\eve'
exits 8 "is found" profmig verify b t.img -k k --as "$sid"
like "$(cat out)" "*no account $rid*" "and named"
done_testing
