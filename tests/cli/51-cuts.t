#!/bin/sh
# A disk is cut along its files: what no file needs is left out, everything
# else comes back, and files are found again wherever they lie.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img fls icat blkls tsk_recover fsntfsinfo mkntfs ntfscp sfdisk

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub 2>/dev/null >/dev/null
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"

# What other people's readers see of the volume at a sector: names, attributes,
# times, sizes, the contents of files and of their streams, every descriptor.
seen() {	# IMAGE SECTOR
	fls -o "$2" -rp -m / "$1"
	rm -rf files
	tsk_recover -a -o "$2" "$1" files >/dev/null
	(cd files && find . -type f ! -iname pagefile.sys ! -iname hiberfil.sys \
		! -iname swapfile.sys -exec md5sum {} + | sort -k 2)
	# streams of files, and $Secure:$SDS, where all descriptors are
	# shellcheck disable=SC2016
	fls -o "$2" -rp "$1" | sed -n \
		's/^r\/r \([0-9-]*\):\t[^$].*:.*/\1/p; s/^r\/r \([0-9-]*\):\t$Secure:$SDS/\1/p' |
		while read -r id; do
			echo "$id $(icat -o "$2" "$1" "$id" | md5sum)"
		done
	fsntfsinfo -o $(($2 * 512)) -E all "$1"
}
# What we see: the same, by the tools of this project.
ours() {	# IMAGE
	imgtool files ls -R --json "$1" /
	imgtool files ls -R --json "$1" / | jq -r '.files[].name' |
		tr '\n' '\0' | xargs -0 imgtool files stat --json "$1" >stats
	cat stats
	jq -r '.files[] | .path as $p | .streams[] | select(.name != "") |
		$p + ":" + .name' stats | while read -r stream; do
		echo "$stream $(imgtool files cat "$1" "/$stream" | md5sum)"
	done
	rm -rf files
	imgtool files get -q "$1" / files
	(cd files && find . -type f ! -iname pagefile.sys ! -iname hiberfil.sys \
		! -iname swapfile.sys -exec md5sum {} + | sort -k 2)
}
# same IMAGE SECTOR ORIGINAL NAME: by both
same() {
	seen "$3" "$2" >before
	seen "$1" "$2" >after
	is "$(wc -l <before)" "$(wc -l <after)" "$4: as many lines to compare"
	is "$(diff before after | head -5)" "" \
		"$4: sleuthkit and libfsntfs find every file, stream and ACL the same"
	ours "$3" >before 2>&1
	ours "$1" >after 2>&1
	is "$(diff before after | head -5)" "" "$4: and so do we"
	like "$(cat after)" "*Zone.Identifier*" "$4: streams were among them"
	like "$(cat after)" "*\"sddl\": \"O:*" "$4: and ACLs"
}
# What free clusters hold that is not zero, in bytes.
free_bytes() { blkls -A -o "$2" "$1" | tr -d '\0' | wc -c; }

# ---- a clean volume ----
guest xp.img xp
ok "import" imgtool import xp.img xp
like "$(cat err)" "*left out: free space*page file*--exact keeps them" \
	"tells what was left out, and how to keep it"
ok "export" imgtool export xp clean.img
exits 1 "is not the same bits" qemu-img compare -f raw -F raw xp.img clean.img
is "$(($(free_bytes xp.img 63) > 0)) $(free_bytes clean.img 63)" "1 0" \
	"what lay in free clusters is not in it"
same clean.img 63 xp.img xp
guest win7.img win7
imgtool import win7.img win7 >/dev/null 2>&1
imgtool export -q win7 seven.img
same seven.img 206848 win7.img win7
rm -f win7.img seven.img
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
imgtool export -q shadow clean.img --force
want=$(blkls -A -o 206848 shadow.img | md5sum)
is "$(blkls -A -o 206848 clean.img | md5sum)" "$want" "every byte of them"
catalogue() { dd if="$1" bs=512 skip=$((206848 + 15)) count=1 2>/dev/null | tr -d '\0' | wc -c; }
is "$(catalogue clean.img)" "$(catalogue shadow.img)" "and the catalogue"
ok "--drop-snapshots" imgtool import --drop-snapshots shadow.img shadow
like "$(cat err)" "*left out: free space*" "leaves them out"
imgtool export -q shadow clean.img --force
is "$(free_bytes clean.img 206848) $(catalogue clean.img)" "0 0" "both of them"

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
