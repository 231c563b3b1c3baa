#!/bin/sh
# Who opens an image of a repository, and who no longer does.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh

for k in admin spare ann bob; do
	imgcrypt keygen --no-passphrase -o $k >/dev/null
done
export IMGTOOL_REPO="$PWD/r" IMGTOOL_KEY="$PWD/admin"
imgtool init r -R admin.pub -R spare.pub >/dev/null 2>&1
for n in 1 2 3; do head -c 900000 /dev/urandom >disk$n.img; done
imgtool import disk1.img a >/dev/null 2>&1
imgtool import disk1.img b >/dev/null 2>&1
imgtool import disk3.img c >/dev/null 2>&1
as() { IMGTOOL_KEY=$PWD/$1; shift; "$@"; r=$?; IMGTOOL_KEY=$PWD/admin; return $r; }
# opens KEY VERSION DISK, shut KEY VERSION
opens() {
	rm -f out.raw
	ok "$1 opens $2" as "$1" imgtool export "$2" out.raw
	ok "$2 is the disk" cmp out.raw "$3"
}
shut() {
	rm -f out.raw
	exits 5 "$1 does not open $2" as "$1" imgtool export "$2" out.raw
	is "$(ls out.raw* 2>/dev/null)" "" "and gets nothing of it"
}

# ---- a key opens its line and no other ----
ok "ann is let in" imgcrypt recipients add a -R ann.pub
opens ann a:1 disk1.img
shut ann b:1
shut ann c:1
shut bob a:1
opens spare a:1 disk1.img
ok "list" imgcrypt recipients list -R ann.pub -R bob.pub a
is "$(wc -l <out)" 1 "tells of one"
like "$(cat out)" "* ann*" "by name"
ok "who is in may let others in" as ann imgcrypt recipients add a -R bob.pub
opens bob a:1 disk1.img
opens admin a:1 disk1.img
opens spare a:1 disk1.img
ok "and take them off" as ann imgcrypt recipients remove a -R bob.pub
shut bob a:1
opens admin a:1 disk1.img
exits 8 "one who is not in" imgcrypt recipients remove a -R bob.pub
exits 5 "who is not in lets nobody in" as bob imgcrypt recipients add a -R bob.pub

# ---- gc with a key that opens one line ----
imgtool import disk2.img a >/dev/null 2>&1
imgtool import disk2.img c >/dev/null 2>&1
head -c 131072 disk2.img >part.img
imgtool import part.img b >/dev/null 2>&1
imgtool remove --yes a:2 >/dev/null 2>&1
imgtool remove --yes c:2 >/dev/null 2>&1
ok "ann collects garbage" as ann imgtool gc --json
is "$(jq '.freed > 500000' out)" true "and there was some"
ok "all lines are whole" imgtool verify
opens admin a:1 disk1.img
opens admin b:2 part.img
opens admin c:1 disk3.img
opens ann a:1 disk1.img

# ---- a new key ----
before=$(du -sb r/packs | cut -f 1)
exits 5 "ann can not rotate" as ann imgcrypt rotate a
exits 2 "a version is no image" imgcrypt rotate a:1
exits 8 "an image that is not there" imgcrypt rotate nothing
ok "rotate" imgcrypt rotate a
is "$(cat out)" "a:3" "makes the next version"
like "$(cat err)" "*opens a:1 and before, and nothing from a:3 on*" "and tells who is cut off"
is "$(($(du -sb r/packs | cut -f 1) - before < 20000))" 1 "no contents are stored again"
opens admin a:3 disk1.img
opens spare a:3 disk1.img
opens ann a:1 disk1.img
shut ann a:3
imgtool import disk2.img a >/dev/null 2>&1
shut ann a:4
opens admin a:4 disk2.img
is "$(imgcrypt recipients list a:1 | wc -l)" 1 "the old key is sealed to ann"
is "$(imgcrypt recipients list a | wc -l)" 0 "the new one to nobody yet"
cp r/keys/*.line . && cat ./*.line >lines	# all that ann can find
ok "rotate again, for bob" imgcrypt rotate a -R bob.pub
opens bob a:5 disk2.img
shut bob a:4
shut bob a:1
is "$(find r/keys -name '*.line' | wc -l)" 5 "three keys of a, and one of each other"
ok "verify" imgtool verify
imgtool remove --yes a:1 >/dev/null 2>&1
ok "gc" imgtool gc
is "$(find r/keys -name '*.line' | wc -l)" 4 "a key that no version needs goes"
ok "verify" imgtool verify
opens bob a:5 disk2.img

# ---- a delta over the change of keys ----
imgtool init mine --client -R bob.pub >/dev/null 2>&1
ok "a delta of the version before" \
	imgdelta create /dev/null a:4 -o one.delta -R bob.pub --sign admin
ok "a delta to the new key" \
	imgdelta create a:4 a:5 -o two.delta -R bob.pub --sign admin
is "$(($(wc -c <two.delta) < 60000))" 1 "is small"
IMGTOOL_REPO=$PWD/mine
ok "apply one" as bob imgdelta apply --by admin.pub one.delta
ok "apply the other" as bob imgdelta apply --by admin.pub two.delta
opens bob a:5 disk2.img
done_testing
