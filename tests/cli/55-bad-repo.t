#!/bin/sh
# A repository on bad days: parts missing, cut off, exchanged, full, newer.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need python3

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o spare >/dev/null
export IMGTOOL_REPO="$PWD/r" IMGTOOL_KEY="$PWD/admin"
imgtool init r -R admin.pub -R spare.pub >/dev/null 2>&1
for n in 1 2 3; do head -c 700000 /dev/urandom >disk$n.img; done
for n in 1 2; do imgtool import disk$n.img a >/dev/null 2>&1; done
imgtool import disk3.img b >/dev/null 2>&1
cp -a r clean
again() { rm -rf r && cp -a clean r; }
# gives VERSION DISK NAME: it is served, and as this disk
gives() {
	rm -f out.raw
	ok "$3" imgtool export "$1" out.raw
	ok "$3: the right one" cmp out.raw "$2"
}
# refused STATUS VERSION NAME: it is not served, not even in part
refused() {
	rm -f out.raw
	exits "$1" "$3" imgtool export "$2" out.raw
	is "$(find . -maxdepth 1 -name 'out.raw*')" "" "$3: nothing is left behind"
}
id_of() { cat "r/refs/$1/$2"; }
packs_of() {	# NAME NUMBER: what its clear list names
	python3 -c '
import sys
d = open(sys.argv[1], "rb").read()
n, at = int.from_bytes(d[12:16], "little"), 80
for _ in range(n):
    print(d[at:at + 32].hex())
    at += 36 + (int.from_bytes(d[at + 32:at + 36], "little") + 7) // 8' \
		"r/versions/$(id_of "$1" "$2").list"
}

# ---- the index ----
rm r/index/*
gives a:1 disk1.img "without an index, readers find what is in the packs"
is "$(ls r/index)" "" "and write nothing"
ok "verify reads without it, too" imgtool verify
rmdir r/index
gives b:1 disk3.img "nor need its folder be there"
ok "a writer makes it again" imgtool import disk1.img c
like "$(ls r/index)" "*.index" "on disk"
again
for f in r/index/*; do truncate -s 100 "$f"; done
gives a:2 disk2.img "a cut index is no index"
exits 8 "but verify names it" imgtool verify
like "$(cat out)" "*r/index/*is damaged*" "with its file"
ok "and gc makes it again" imgtool gc
ok "so that it is whole" imgtool verify
again
for f in r/index/*; do	# every record's place is another
	python3 -c '
import sys
d = bytearray(open(sys.argv[1], "rb").read())
packs = int.from_bytes(d[12:16], "little")
for at in range(32 + 40 * packs, len(d), 48): d[at + 36] ^= 0x40
open(sys.argv[1], "wb").write(d)' "$f"
done
gives a:2 disk2.img "an index that lies misleads no reader"
ok "nor a writer" imgtool import disk2.img c
gives c:1 disk2.img "whose version is whole"
ok "verify" imgtool verify

# ---- packs ----
again
pack=$(packs_of b 1)
mv "r/packs/$pack.pack" kept
refused 4 b:1 "a pack that is missing"
like "$(cat err)" "*b:1: *r: map * is missing*" "is told"
gives a:2 disk2.img "other images stay usable"
exits 8 "verify" imgtool verify
like "$(cat out)" "*b:1: packs/$pack.pack is missing*" "names pack and image"
is "$(grep -c '^a:' out)" 0 "and no other image"
exits 4 "gc refuses" imgtool gc
says "*b:1: packs/$pack.pack is missing; import the disk again*" "and says what to do"
ok "the disk again" imgtool import disk3.img b
gives b:1 disk3.img "makes the old version whole"
ok "gc" imgtool gc
ok "and then all is well" imgtool verify
again
truncate -s 300000 "r/packs/$pack.pack"
refused 4 b:1 "a pack that is cut off"
like "$(cat err)" "*$pack*" "is named"
ok "import counts none of it as known" imgtool import disk3.img b
gives b:1 disk3.img "so it heals, too"
again
rm -r r/packs
refused 1 b:1 "no packs at all"

# ---- manifests, lists, keys ----
for what in version list; do
	again
	f=r/versions/$(id_of a 2).$what
	mv "$f" kept
	exits 8 "a missing $what is found" imgtool verify
	like "$(cat out)" "*a:2: */$f: *missing*" "and named"
	gives a:1 disk1.img "beside a missing $what, the version before"
	cp kept "$f"
	truncate -s -1 "$f"
	exits 8 "a $what that lacks a byte is found" imgtool verify
	like "$(cat out)" "*a:2: */$f*" "and named"
done
exits 4 "gc without a whole list" imgtool gc
gives a:1 disk1.img "touches nothing"
again
truncate -s -1 r/keys/*.line
refused 4 a:1 "keys of images that are cut off"
exits 7 "images" imgtool images
like "$(cat out)" "*a *can not be read*b *can not be read*" "tells of each"
again
truncate -s -1 r/keys/repository
refused 4 a:1 "a repository key that is cut off"
again
printf x >r/config
exits 4 "a config that is none" imgtool images

# ---- what is exchanged ----
again
cp r/refs/a/1 r/refs/a/2
refused 5 a "an older version in place of a newer one"
like "$(cat err)" "*a:2: its manifest is that of a:1*" "is told"
again
cp r/refs/b/1 r/refs/a/2
refused 5 a:2 "a version of another image"
again
cp "r/versions/$(id_of a 1).version" "r/versions/$(id_of a 2).version"
refused 4 a:2 "a manifest under another's name"
again
imgtool init other -R admin.pub >/dev/null 2>&1
IMGTOOL_REPO=$PWD/other imgtool import disk1.img a >/dev/null 2>&1
id=$(cat other/refs/a/1)
cp "other/versions/$id".* r/versions/ && cp other/keys/*.line r/keys/
cp other/refs/a/1 r/refs/a/3
refused 5 a:3 "a version of another repository"
gives a:2 disk2.img "those of this one"
again
imgtool tag a:2 gold >/dev/null
sed 's/^2/1/' r/refs/a/tags/gold >tag && cp tag r/refs/a/tags/gold
refused 4 a:gold "a tag with another number"
exits 8 "verify" imgtool verify
like "$(cat out)" "a:gold: *refs/a/tags/gold*" "names the tag"

# ---- newer than we are ----
byte() { printf %b "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
again
byte r/config 8 '\0002'
exits 3 "a newer repository" imgtool images
says "*needs a newer version*" "is refused politely"
again
byte r/config 17 '\0200'
exits 3 "a feature that we do not know" imgtool export a:1 out.raw
again
byte r/config 24 '\0200'
gives a:1 disk1.img "one that does not hinder a reader"
for f in r/keys/*.line; do byte "$f" 8 '\0003'; done
refused 3 a:1 "a newer key file"

# ---- no room ----
again
if mkdir small && mount -t tmpfs -o size=3m tmpfs small 2>/dev/null; then
	cp -a r small/r
	head -c 4000000 /dev/urandom >big.img
	IMGTOOL_REPO=$PWD/small/r
	exits 1 "a full disk during an import" imgtool import big.img big
	like "$(cat err)" "*No space left on device*" "is told"
	ok "harms nothing" imgtool verify
	gives a:2 disk2.img "what was there"
	ok "what fits goes in" imgtool import disk1.img d
	imgtool remove --yes a:1 >/dev/null 2>&1
	imgtool remove --yes d:1 >/dev/null 2>&1
	# Of a:2's pack little stays in use, and there is no room for it.
	{ head -c 131072 disk2.img; head -c 500 /dev/zero; } >part.img
	imgtool import part.img part >/dev/null 2>&1
	imgtool remove --yes a:2 >/dev/null 2>&1
	head -c 9000000 /dev/zero >small/fill 2>/dev/null
	imgtool gc >out 2>err </dev/null
	like "$?" "[01]" "gc on a full disk"
	ok "harms nothing" imgtool verify
	gives part:1 part.img "what it would have moved"
	rm small/fill
	ok "with room, gc ends" imgtool gc
	ok "and all is well" imgtool verify
	gives b:1 disk3.img "the other image"
	umount small
	IMGTOOL_REPO=$PWD/r
else
	skip "no tmpfs can be mounted here"
fi

# ---- interrupted, and gone on with ----
again
head -c 80000000 /dev/urandom >big.img
for delay in 0.1 0.2 0.3 0.4 0.5; do
	imgtool import big.img big >/dev/null 2>&1 &
	sleep $delay
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	[ ! -e r/refs/big/1 ] || break
done
if [ -e r/refs/big/1 ]; then
	skip "this machine is too fast to be interrupted"
else
	stored=$(find r/packs -name '*.pack' -printf '%s\n' | awk '{ n += $1 } END { print n }')
	stored=$((stored - $(find clean/packs -printf '%s\n' -type f -name '*.pack' | awk '{ n += $1 } END { print n }') ))
	ok "the import goes on" imgtool import --json big.img big
	new=$(jq .new out)
	is "$((new <= 80000256 - stored * 99 / 100 + 65536))" 1 \
		"and stores only what was missing ($new, $stored were there)"
	gives big:1 big.img "what was interrupted"
fi
done_testing
