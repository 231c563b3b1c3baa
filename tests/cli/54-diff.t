#!/bin/sh
# Which files changed between two versions, and what the images take.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img jq

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o stranger >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"

guest disk.img xp
imgtool import disk.img xp >/dev/null 2>&1
head -c 300000 /dev/urandom >new
imgtool files put --state state disk.img new /WINDOWS/new.bin >/dev/null 2>err || cat err
imgtool files rm --state state disk.img /boot.ini >/dev/null 2>err || cat err
imgtool import disk.img xp >/dev/null 2>&1

exits 0 "a version and itself" imgtool diff xp:1 xp:1
is "$(cat out)" "" "do not differ"
exits 8 "two that differ" imgtool diff xp:1 xp:2
like "$(head -n 1 out)" "+*30[0-9][0-9][0-9][0-9]*1:/WINDOWS/new.bin" \
	"what came is first, with its cost"
is "$(grep -c '^-.*1:/boot.ini' out)" 1 "what went is told"
is "$(grep -c '/WINDOWS/system32/ntoskrnl.exe' out)" 0 "what stayed is not"
exits 8 "--json" imgtool diff --json xp:1 xp:2
is "$(jq -r '.files[0].change' out)" added "says it, too"
exits 8 "the other way round" imgtool diff xp:2 xp:1
is "$(grep -c '^-.*1:/WINDOWS/new.bin' out)" 1 "it went"
exits 8 "a version that is not there" imgtool diff xp:1 xp:7
exits 5 "a stranger's key" env IMGTOOL_KEY="$PWD/stranger" imgtool diff xp:1 xp:2

ok "stats" imgtool stats
like "$(cat out)" "*xp:1 *xp:2 *deduplication saved a factor of *" "tells what was saved"
ok "stats --json" imgtool stats --json
is "$(jq '.versions | length' out)" 2 "for each version"
ok "stats --html" imgtool stats --html page.html
is "$(grep -c '<td>xp:2' page.html)" 1 "draws it"
is "$(grep -c 'http' page.html)" 0 "on a page of its own"
exits 2 "which is not replaced" imgtool stats --html page.html
ok "a stranger sees that there is something" \
	env IMGTOOL_KEY="$PWD/stranger" imgtool stats
like "$(cat out)" "*2 versions are not open*" "and no more"
done_testing
