#!/bin/sh
# 60-imgdelta.t - deltas between disks as a user types them
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need python3

imgcrypt keygen -o admin --no-passphrase >/dev/null
imgcrypt keygen -o client --no-passphrase >/dev/null
imgcrypt keygen -o other --no-passphrase >/dev/null

# A disk, and the next version of it: bytes changed here and there, a stretch
# moved, one zeroed, one written where zeros were, and an odd size.
python3 - <<'EOF'
import random
r = random.Random(7)
words = [bytes(r.randrange(256) for _ in range(8)) for _ in range(2000)]
old = bytearray(24 << 20)
old[1 << 20:13 << 20] = b''.join(r.choice(words) for _ in range(12 << 17))
new = bytearray(old)
for _ in range(60):
    at = r.randrange(1 << 20, 12 << 20)
    new[at:at + 50] = bytes(r.randrange(256) for _ in range(50))
new[6 << 20:8 << 20] = bytes(2 << 20)
new[20 << 20:21 << 20] = old[2 << 20:3 << 20]
new += b'tail' * 128
open('old.img', 'wb').write(old)
open('new.img', 'wb').write(new)
open('bad.img', 'wb').write(old[:3 << 20] + b'x' + old[(3 << 20) + 1:])
EOF

ok "create" imgdelta create old.img new.img -R client.pub --sign admin -o delta
like "$(cat out)" "delta: * bytes change, * become zeros" "it says what changes"
ok "apply" imgdelta apply delta -k client --by admin.pub --base old.img -o got.img
ok "the result is the new disk" cmp got.img new.img
is "$([ "$(stat -c %b got.img)" -lt "$(stat -c %b new.img)" ] && echo yes)" yes \
	"zeros are holes"
is "$([ "$(stat -c %s delta)" -lt 3000000 ] && echo yes)" yes "the delta is small"
ok "create with --effort fast" \
	imgdelta create old.img new.img -R client.pub --effort fast -o fast
ok "apply without a signature" imgdelta apply fast -k client --base old.img -o fast.img
like "$(cat err)" "*fast: is not signed*" "it warns"
ok "the result is the new disk" cmp fast.img new.img
ok "back again" sh -c 'imgdelta create new.img old.img -R client.pub -o back &&
	imgdelta apply back -k client --base new.img -o back.img && cmp back.img old.img'
ok "from nothing" sh -c 'imgdelta create /dev/null new.img -R client.pub -o full &&
	imgdelta apply full -k client --base /dev/null -o full.img && cmp full.img new.img'
ok "nothing changes" sh -c 'imgdelta create old.img old.img -R client.pub -o same &&
	imgdelta apply same -k client --base old.img -o same.img && cmp same.img old.img'

ok "show without a key" imgdelta show delta
like "$(cat out)" "*signed: ????????*recipient: ????????*" "it shows signer and recipient"
case $(cat out) in *old.img*) tap "not ok" "names are secret" ;; *) tap ok "names are secret" ;; esac
ok "show with a key" imgdelta show delta -k client
like "$(cat out)" "*old: old.img, 25165824 bytes*new: new.img*changed: *" "it shows the disks"
ok "show --json" imgdelta show delta -k client --json
mv out shown
ok "show --json is JSON" python3 -m json.tool shown
ok "verify" imgdelta verify delta --by admin.pub
like "$(cat out)" "delta: whole, signed by admin" "verify names the signer"

exits 5 "another key" imgdelta apply delta -k other --by admin.pub --base old.img -o no
says '*delta: is not sealed to this key*' "another key"
exits 5 "another signer" imgdelta apply delta -k client --by other.pub --base old.img -o no
says '*not trusted*--by PUB*' "another signer"
exits 5 "an unknown signer" env HOME="$PWD" XDG_CONFIG_HOME= \
	imgdelta apply delta -k client --base old.img -o no
exits 5 "not signed, but somebody is trusted" \
	imgdelta apply fast -k client --by admin.pub --base old.img -o no
exits 5 "verify by another" imgdelta verify delta --by other.pub
exits 6 "a changed base" imgdelta apply delta -k client --by admin.pub --base bad.img -o no
says '*bad.img: is not old.img*byte 3145728*' "a changed base: the place is named"
exits 6 "a base of another size" \
	imgdelta apply delta -k client --by admin.pub --base new.img -o no
exits 4 "no delta" imgdelta apply old.img -k client --base old.img -o no
exits 2 "an output that exists" \
	imgdelta apply delta -k client --by admin.pub --base old.img -o got.img
exits 2 "no recipient" imgdelta create old.img new.img -o no
exits 2 "no such effort" imgdelta create old.img new.img -R client.pub --effort x -o no
exits 1 "a disk that is not there" imgdelta create old.img ./nothing -R client.pub -o no
is "$(ls no* .frames* 2>/dev/null)" "" "no refusal left an output"

# Changed or cut off anywhere: sampled, because every byte takes too long here.
size=$(stat -c %s delta)
bad=0
i=0
while [ "$i" -lt "$size" ]; do
	cp delta changed
	byte=$(od -An -tu1 -j "$i" -N 1 delta | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 16)))" |
		dd of=changed bs=1 seek="$i" conv=notrunc 2>/dev/null
	imgdelta apply changed -k client --by admin.pub --base old.img -o no 2>/dev/null
	case $? in 3|4|5) ;; *) bad=$((bad + 1)); echo "# byte $i passed" ;; esac
	head -c "$i" delta >changed
	imgdelta apply changed -k client --by admin.pub --base old.img -o no 2>/dev/null
	case $? in 4) ;; *) bad=$((bad + 1)); echo "# length $i passed" ;; esac
	if [ "$i" -lt 400 ]; then i=$((i + 19)); else i=$((i + size / 20)); fi
done
is "$bad" 0 "a changed byte and a shorter length of $size are refused"
is "$(ls no 2>/dev/null)" "" "nothing came out"

imgdelta create old.img new.img -R client.pub -o killed & pid=$!
kill -9 $pid
wait $pid 2>/dev/null
is "$(ls killed 2>/dev/null)" "" "killed half way, there is no output"
strings -n 8 delta >text
is "$(grep -c 'img' text)" 0 "no name stands in the file"

# Another recipient, added without touching what was signed.
cp delta more
ok "recipients add" imgcrypt recipients add more -k client -R other.pub
ok "it is still signed" imgdelta verify more --by admin.pub
ok "the new one can apply it" \
	imgdelta apply more -k other --by admin.pub --base old.img -o more.img
ok "the result is the new disk" cmp more.img new.img
ok "recipients remove" imgcrypt recipients remove more -R client.pub
exits 5 "who was removed cannot" \
	imgdelta apply more -k client --by admin.pub --base old.img -o no

# In place: one transaction, which a kill leaves undone or done.
head -c 25165824 new.img >same.img	# a size that stays
imgdelta create old.img same.img -R client.pub -o keep >/dev/null
cp old.img disk.img
ok "apply in place" imgdelta apply keep -k client --in-place disk.img
ok "the disk is the new one" cmp disk.img same.img
ok "once more" imgdelta apply keep -k client --in-place disk.img
like "$(cat out)" "disk.img: is already same.img" "nothing is done twice"
ok "undo" imgtool undo disk.img
ok "the disk is the old one" cmp disk.img old.img
exits 6 "another disk" imgdelta apply keep -k client --in-place bad.img
exits 3 "a delta that changes the size" \
	imgdelta apply delta -k client --by admin.pub --in-place disk.img
ok "neither wrote anything" cmp disk.img old.img
torn=0
for pause in 0.01 0.03 0.05 0.07 0.1 0.15; do
	rm -rf disk.img disk.img.*
	cp old.img disk.img
	imgdelta apply keep -k client --in-place disk.img >/dev/null 2>&1 & pid=$!
	sleep $pause
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	imgdelta apply keep -k client --in-place disk.img >/dev/null 2>&1 || torn=$((torn + 1))
	cmp -s disk.img same.img || torn=$((torn + 1))
done
is "$torn" 0 "killed anywhere and run again, the disk is the new one"

# A file that lies elsewhere afterwards, as updated ones do, and another that is
# changed a little: both are packed against what they were, wherever that was.
if command -v ntfscp >/dev/null && command -v mkntfs >/dev/null; then
	head -c 6000000 /dev/urandom >moved
	head -c 2000000 /dev/urandom >edited.1
	{ head -c 900000 edited.1; echo inserted; tail -c +900001 edited.1; } >edited.2
	for n in 1 2; do
		truncate -s 40M ntfs$n.img
		mkntfs -q -F -p 0 ntfs$n.img >/dev/null 2>&1
	done
	ntfscp -q ntfs1.img moved library.dll && ntfscp -q ntfs1.img edited.1 data.bin
	head -c 3000000 /dev/zero | tr '\0' x >filler
	ntfscp -q ntfs2.img filler filler && ntfscp -q ntfs2.img edited.2 data.bin &&
		ntfscp -q ntfs2.img moved library.dll
	ok "create between NTFS volumes" imgdelta create ntfs1.img ntfs2.img -R client.pub -o files
	is "$([ "$(stat -c %s files)" -lt 200000 ] && echo yes)" yes \
		"8 MB that moved cost $(stat -c %s files) bytes"
	ok "explain" imgdelta explain files -k client
	like "$(cat out)" "*PACKED*files*PACKED*library.dll*" "it names the files"
	like "$(cat out)" "*data.bin*" "the edited one too"
	ok "explain --json" imgdelta explain files -k client --json
	mv out shown
	ok "explain --json is JSON" python3 -m json.tool shown
	ok "explain --html" imgdelta explain files -k client --html page.html
	like "$(cat page.html)" "*<td>library.dll*" "it draws a page"
	python3 - <<'EOF'
disk = bytearray(open('ntfs1.img', 'rb').read())
disk[disk.index(open('moved', 'rb').read(4096)) + 3000000] ^= 1
open('wrong.img', 'wb').write(disk)
EOF
	exits 6 "a base with a changed file" \
		imgdelta apply files -k client --base wrong.img -o no
	like "$(cat err)" "*wrong.img: is not ntfs1.img*where a part lies of library.dll" \
		"the file is named"
	ok "apply" imgdelta apply files -k client --base ntfs1.img -o ntfs3.img
	ok "the result is the new disk" cmp ntfs2.img ntfs3.img
	# Every file in its next release, on a volume that was used before.
	cp ntfs2.img every.img
	for name in library.dll data.bin filler; do
		{ echo "release two"; head -c 1500000 moved; } >release
		ntfscp -q every.img release $name
	done
	imgtool init every -R client.pub -q 2>/dev/null
	imgtool import -q -r every -k client every.img every >/dev/null 2>&1
	imgtool export -q -r every -k client every:1 want.img 2>/dev/null
	for effort in fast default max; do
		imgdelta create ntfs2.img every.img -R client.pub --effort $effort \
			-o every.delta --force >/dev/null 2>&1
		ok "every file is updated, --effort $effort" imgdelta apply every.delta \
			-k client --base ntfs2.img -o got-every.img --force
		ok "it is as an import" cmp got-every.img want.img
	done
	imgdelta create ntfs2.img every.img -R client.pub --exact -o every.delta --force \
		>/dev/null 2>&1
	ok "every file is updated, exactly" imgdelta apply every.delta -k client \
		--base ntfs2.img -o got-every.img --force
	ok "it is the new disk" cmp got-every.img every.img
	ok "create --effort max" imgdelta create ntfs1.img ntfs2.img -R client.pub \
		--effort max -o most
	ok "apply" imgdelta apply most -k client --base ntfs1.img -o ntfs4.img
	ok "the result is the new disk" cmp ntfs2.img ntfs4.img
else
	skip "ntfscp is not installed"
fi

# Whatever the guests, a delta ends where an import and its export would; exactly,
# where every bit is asked for.
imgtool init clean -R admin.pub -q 2>/dev/null
for k in xp vista win7 win10; do
	guest $k.img $k
	imgtool import -q -r clean -k admin $k.img $k >/dev/null 2>&1
	imgtool export -q -r clean -k admin $k:1 $k.clean.img 2>/dev/null
	sum_of $k.clean.img >$k.sum
	rm $k.clean.img
done
for old in xp vista win7 win10; do
	for new in xp vista win7 win10; do
		imgdelta create $old.img $new.img -R client.pub -o pair --force >/dev/null 2>&1
		imgdelta apply pair -k client --base $old.img -o pair.img >/dev/null 2>&1
		is "$(sum_of pair.img)" "$(cat $new.sum)" "$old to $new is as an import of $new"
		rm pair.img
	done
done
ok "create says what is left out" imgdelta create xp.img win7.img -R client.pub -o pair --force
like "$(cat err)" "*left out: free space *page file *--exact keeps them*" "and how it is kept"
ok "create --exact --effort max" imgdelta create vista.img win10.img -R client.pub -o pair \
	--exact --effort max --force
ok "apply" imgdelta apply pair -k client --base vista.img -o pair.img
is "$(sum_of pair.img)" "$(sum_of win10.img)" "every bit is that of win10"
rm pair pair.img vista.img win7.img win10.img

# Between versions: an administrator's repository, and a client's with its own
# key.  The next version is the same guest with files replaced in it.
cp --sparse=always xp.img next.img
python3 - <<'EOF'
import os, random
r = random.Random(3)
with open('next.img', 'r+b') as disk:
    size = os.fstat(disk.fileno()).st_size
    for n in range(40):
        disk.seek(r.randrange(1 << 20, size - (1 << 20)) & ~4095)
        disk.write(bytes(r.randrange(256) for _ in range(40960)))
EOF
imgtool init origin -R admin.pub -q 2>/dev/null
imgtool init local -R client.pub --client -q
imgtool import -q -r origin -k admin --exact xp.img xp >/dev/null
imgtool import -q -r origin -k admin --exact next.img xp --parent xp:1 >/dev/null
is "$(imgtool images -r origin -k admin --json | tr -d ' \n' | grep -c '"newest":2')" 1 \
	"two versions are stored"
ok "create from nothing" imgdelta create /dev/null xp:1 -r origin -k admin \
	-R client.pub --sign admin -o first
ok "create between versions" imgdelta create xp:1 xp:2 -r origin -k admin \
	-R client.pub --sign admin -o second
exits 6 "the base is missing" imgdelta apply second -r local -k client --by admin.pub
says '*local: does not hold xp:1*' "the base is missing"
ok "the first version arrives" imgdelta apply first -r local -k client --by admin.pub
is "$(cat out)" "xp:1" "it keeps its name and number"
exits 5 "not from another signer" imgdelta apply second -r local -k client --by other.pub
ok "the second version arrives" imgdelta apply second -r local -k client --by admin.pub
is "$(cat out)" "xp:2" "so does the next"
ok "once more" imgdelta apply second -r local -k client --by admin.pub
is "$(cat out)" "xp:2 is there already" "nothing is done twice"
ok "the client's repository is whole" imgtool verify -r local -k client
ok "the client exports it" imgtool export xp:2 got2.img -r local -k client
want=$(sum_of next.img)
is "$(sum_of got2.img)" "$want" "it is the second version"
rm got2.img
ok "the same delta updates a plain disk" \
	imgdelta apply second -k client --by admin.pub --base xp.img -o got2.img
is "$(sum_of got2.img)" "$want" "the disk is the second version"
rm got2.img
ok "a version as the base" imgdelta apply second -r local -k client --by admin.pub \
	--base xp:1 -o got2.img
is "$(sum_of got2.img)" "$want" "the disk is the second version"
exits 2 "a delta of disks is for no repository" \
	imgdelta apply delta -r local -k client --by admin.pub
exits 5 "an administrator cannot read with a stranger's key" \
	imgdelta create xp:1 xp:2 -r origin -k other -R client.pub -o no
ok "a line's recipient is added" \
	imgcrypt recipients add xp -r origin -k admin -R other.pub
ok "it is listed" imgcrypt recipients list xp -r origin -k admin -R other.pub
like "$(cat out)" "*other*" "by name"
ok "it reads the line" imgtool export xp:2 other.img -r origin -k other
ok "a line's recipient is removed" \
	imgcrypt recipients remove xp -r origin -k admin -R other.pub
exits 5 "it reads the line no more" imgtool export xp:2 other2.img -r origin -k other
find local -type f -exec strings -n 6 {} + >text
is "$(grep -ci windows text)" 0 "no text of the guest is in the client's files"
done_testing
