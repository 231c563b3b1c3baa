#!/bin/sh
# profmig between the other kinds of Windows, languages and odd guests.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need jq
imgcrypt keygen -o k --no-passphrase >/dev/null
guest g.img xp --german
guest v.img vista
guest d.img xp --dirty-hive
ok "a German XP" profmig extract g.img --all -R k.pub -o g.b
ok "a Vista" profmig extract v.img --all -R k.pub -o v.b
ok "an XP whose hives are dirty" profmig extract d.img --all -R k.pub -o d.b
for to in win7 win10; do
	guest $to.img $to
	cp --sparse=always $to.img t.img
	ok "German XP to $to" profmig apply g.b t.img -k k
	ok "arrives" profmig verify g.b t.img -k k --json
	is "$(jq -r '[.people[0].items[] | select(.from |
		endswith("\\Eigene Dateien\\Letter 001.txt")) | .to] | join(" ")' out)" \
		'C:\Users\alice\Documents\Letter 001.txt' \
		"its documents go where this Windows keeps them"
	cp --sparse=always $to.img t.img
	ok "Vista to $to" profmig apply v.b t.img -k k
	ok "arrives" profmig verify v.b t.img -k k
done
ok "what was only in the logs" profmig apply d.b win7.img -k k
ok "arrives" profmig verify d.b win7.img -k k
ok "on the new profile" imgtool reg get win7.img 'HKU\bob\Control Panel\Mouse'

guest t.img win7 --system-drive-d
ok "onto a system that is drive D:" profmig apply v.b t.img -k k
ok "arrives" profmig verify v.b t.img -k k --json
is "$(jq -r '.people[0].profile | .[0:9]' out)" 'D:\Users\' "there"
guest t.img win7 --dirty-volume
exits 6 "a dirty target is refused" profmig apply v.b t.img -k k
like "$(cat err)" '*partition*' "and its volume named"

# docs/USMT.md is what the rules say.
(cd "$TOP" && sh tools/usmt.sh) >usmt.md
is "$(diff usmt.md "$TOP/docs/USMT.md")" "" "docs/USMT.md is made from the rules"
done_testing
