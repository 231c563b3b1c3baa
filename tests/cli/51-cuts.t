#!/bin/sh
# A disk is cut along its files: what no file needs is left out, everything
# else comes back, and files are found again wherever they lie.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img fls tsk_recover mkntfs ntfscp sfdisk

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub 2>/dev/null >/dev/null
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"

# What sleuthkit sees of the volume at a sector: names, attributes, times,
# sizes; and the contents of what is not deleted.
seen() {	# IMAGE SECTOR
	fls -o "$2" -rp -m / "$1"
	rm -rf files
	tsk_recover -a -o "$2" "$1" files >/dev/null
	(cd files && find . -type f ! -iname pagefile.sys ! -iname hiberfil.sys \
		! -iname swapfile.sys -exec md5sum {} + | sort -k 2)
}

# ---- a clean volume ----
guest xp.img xp
ok "import" imgtool import xp.img xp
like "$(cat err)" "*left out: free space*page file*--exact keeps them" \
	"tells what was left out, and how to keep it"
ok "export" imgtool export xp clean.img
exits 1 "is not the same bits" qemu-img compare -f raw -F raw xp.img clean.img
seen xp.img 63 >before
seen clean.img 63 >after
is "$(grep -c . before)" "$(grep -c . after)" "as many files"
is "$(diff before after | head -5)" "" "sleuthkit finds every file the same"
imgtool files ls --json xp.img / >before 2>err
imgtool files ls --json clean.img / >after 2>err
is "$(diff before after | head -5)" "" "and so do we"
is "$(imgtool log --json xp | jq -r '.versions[0].exact')" false \
	"the version says that it is not exact"
ok "--exact" imgtool import --exact xp.img xp
is "$(imgtool log --json xp | jq -r '.versions[0].exact')" true \
	"and this one, that it is"
is "$(grep -c 'left out' err)" 0 "nothing was left out"
ok "export it" imgtool export --force xp clean.img
ok "every bit is there" qemu-img compare -s -f raw -F raw xp.img clean.img
exits 2 "--exact --drop-snapshots" imgtool import --exact --drop-snapshots xp.img xp

# ---- volumes that have something to lose ----
guest dirty.img xp --dirty-volume
ok "a dirty volume" imgtool import dirty.img dirty
like "$(cat err)" "*not shut down cleanly; taken exactly*" "is taken exactly"
ok "export it" imgtool export --force dirty clean.img
ok "every bit of it" qemu-img compare -s -f raw -F raw dirty.img clean.img
guest asleep.img win7 --hibernated
ok "a hibernated volume" imgtool import asleep.img asleep
like "$(cat err)" "*hibernated; taken exactly*" "is taken exactly"
guest shadow.img win7 --shadow-copies
ok "a volume with shadow copies" imgtool import shadow.img shadow
like "$(cat err)" "*free clusters are kept; --drop-snapshots*" "keeps its free clusters"
like "$(cat err)" "*left out: free space [0-9][0-9].[0-9] MiB*" "all of them"
ok "--drop-snapshots" imgtool import --drop-snapshots shadow.img shadow
like "$(cat err)" "*left out: free space*" "leaves them out"

# ---- the same files elsewhere ----
mkdir files2
i=0
while [ $i -lt 60 ]; do
	head -c $((i * 7919 + 30000)) /dev/urandom >files2/$i
	i=$((i + 1))
done
volume() {	# IMAGE FIRST-SECTOR; file names on standard input
	truncate -s 96M "$1.part"
	mkntfs -F -Q -q "$1.part" >/dev/null 2>&1
	while read -r n; do ntfscp -q -f "$1.part" "files2/$n" "$n" 2>/dev/null; done
	truncate -s 128M "$1"
	echo "$2,196608,7" | sfdisk -q "$1"
	dd if="$1.part" of="$1" bs=512 seek="$2" conv=notrunc,sparse 2>/dev/null
	rm "$1.part"
}
find files2 -type f -printf '%f\n' | sort -n | volume one.img 2048
find files2 -type f -printf '%f\n' | sort -rn | volume two.img 63
files=$(find files2 -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
ok "a volume" imgtool import --json one.img one
ok "the same files in another order" imgtool import --json two.img two
new=$(jq .new out)
is "$((new * 20 < files))" 1 "adds under a twentieth of them ($new of $files)"
ok "verify" imgtool verify
done_testing
