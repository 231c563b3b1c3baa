#!/bin/sh
# A local account made in the SAMs of a real XP and a real 8.1.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
data=$TOP/../shared/realdata/hives
[ -d "$data" ] || skip_all "no real hives beside the project"
need chntpw hivexml
guest xp.img xp
guest win7.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
profmig extract xp.img -u alice -R k.pub -o b >/dev/null
for sam in xp-pat win81-student; do
	cp --sparse=always win7.img t.img
	ok "the SAM of $sam" sh -c "imgtool files rm t.img \
		'C:\Windows\System32\config\SAM' && imgtool files put t.img \
		$data/$sam/SAM 'C:\Windows\System32\config\SAM'"
	ok "gets an account" profmig apply b t.img -k k --as eve --create-accounts
	ok "and a profile" profmig verify b t.img -k k --as eve
	imgtool files get t.img 'C:\Windows\System32\config\SAM' sam.$sam
	ok "the checker" imgtool reg check sam.$sam
	ok "hivex" hivexml sam.$sam
	chntpw -l sam.$sam 2>/dev/null | grep '^| 0' >new
	chntpw -l "$data/$sam/SAM" 2>/dev/null | grep '^| 0' >old
	is "$(grep -v '| eve ' new)" "$(cat old)" "chntpw reads the others as before"
	like "$(grep '| eve ' new)" '*| eve *BLANK*' "and the new one"
	rm -rf t.img*
done
done_testing
