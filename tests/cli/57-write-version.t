#!/bin/sh
# Verbs that write, on a stored version: it stays, and the next one is made.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o client >/dev/null
imgtool init r -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/r" IMGTOOL_KEY="$PWD/admin"
guest xp.img xp
imgtool import xp.img xp >/dev/null 2>&1
imgcrypt recipients add xp -R client.pub
echo "what was put" >file
size() { find r/packs -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }

# ---- files ----
before=$(size)
ok "files put" imgtool files put xp:1 file /put.txt
is "$(cat out)" "xp:2" "prints the version that was made"
ok "it is in there" imgtool files cat xp:2 /put.txt
is "$(cat out)" "what was put" "as it was put"
exits 8 "the version before is as it was" imgtool files cat xp:1 /put.txt
is "$(($(size) - before < 1000000))" 1 "little was stored ($(($(size) - before)) bytes)"
is "$(imgtool log --json xp | jq -r '.versions[0] | .parent, .notes.change')" \
	"xp:1
imgtool files put /put.txt" "log says what it was made from, and by what"
ok "the newest, by its name alone" imgtool files mkdir xp /folder
is "$(cat out)" "xp:3" "goes on"
ok "an older one" imgtool files rm xp:1 /boot.ini
is "$(cat out)" "xp:4" "is the parent of the newest"
exits 8 "with what was put later left out" imgtool files cat xp:4 /put.txt
ok "--dry-run" imgtool files put -n xp:1 file /put.txt
is "$(imgtool log --json xp | jq '.versions | length')" 4 "makes nothing"
ok "--as" imgtool files put --as mine xp:1 file /put.txt
is "$(cat out)" "mine:1" "makes another image"
is "$(imgtool log --json mine | jq -r '.versions[0].parent')" "xp:1" "of that parent"
exits 2 "an image that is there" imgtool files put --as mine xp:1 file /other.txt
exits 5 "a client's key" env IMGTOOL_KEY="$PWD/client" imgtool files put xp:1 file /a
exits 8 "a version that is not there" imgtool files put xp:9 file /a
exits 8 "a change that fails" imgtool files rm xp:1 /nothing/at/all
is "$(imgtool log --json xp | jq '.versions | length')" 4 "makes no version"

# Somebody else's reader finds it in what is exported.
if command -v icat >/dev/null; then
	imgtool export -q xp:2 two.img
	id=$(fls -o 63 two.img | sed -n 's/^r\/r \([0-9-]*\):.*put.txt$/\1/p')
	is "$(icat -o 63 two.img "$id")" "what was put" "sleuthkit reads it in an export"
	rm -f two.img
fi

# ---- registry ----
key='HKLM\SOFTWARE\Halcyon'
ok "reg set" imgtool reg set xp:2 "$key" Value REG_SZ text
is "$(cat out)" "xp:5" "makes the next version"
ok "reg get" imgtool reg get xp:5 "$key" Value
like "$(cat out)" "*text*" "it is in there"
exits 8 "and not in the one before" imgtool reg get xp:2 "$key" Value
ok "what was put before is" imgtool files cat xp:5 /put.txt

# ---- change sets ----
ok "hal-neutral apply" hal-neutral apply xp:5 --platform qemu-i440fx-ide
like "$(cat out)" "xp:6*" "makes the next version"
exits 8 "the one before was not ready" hal-neutral verify xp:5 --platform qemu-i440fx-ide
ok "this one is" hal-neutral verify xp:6 --platform qemu-i440fx-ide
ok "a second apply" hal-neutral apply xp:6 --platform qemu-i440fx-ide
is "$(imgtool log --json xp | jq '.versions[0].version')" 6 "writes nothing"
exits 2 "revert" hal-neutral revert xp:6
says "*use the version before it*" "is said how"
ok "into another image" hal-neutral apply --as neutral xp:1 --platform qemu-i440fx-ide
like "$(cat out)" "neutral:1*" "of its own"
is "$(find . -maxdepth 1 -name 'xp:*')" "" "no journal is left"
ok "extract" profmig extract xp:1 --user alice -o alice.bundle -R admin.pub
guest seven.img win7
imgtool import seven.img seven >/dev/null 2>&1
ok "profmig apply" profmig apply --create-accounts alice.bundle seven:1
like "$(cat out)" "*seven:2*" "makes the next version"
ok "profmig verify" profmig verify alice.bundle seven:2
ok "verify" imgtool verify

# ---- only what was changed is read ----
head -c 6000000 /dev/urandom >big
imgtool files put --as big xp:1 big /big >/dev/null
pack=$(find r/packs -name '*.pack' -size +5000k -newer big)
is "$(echo "$pack" | wc -l)" 1 "a big file makes a pack of its own"
printf x | dd of="$pack" bs=1 seek=3000000 conv=notrunc 2>/dev/null
exits 8 "which is damaged" imgtool verify
ok "a version beside it" imgtool files put big:1 file /put.txt
is "$(cat out)" "big:2" "is made without reading it"
ok "what it holds can be read" imgtool files cat big:2 /put.txt
exits 5 "what is damaged stays so" imgtool files cat big:2 /big
done_testing
