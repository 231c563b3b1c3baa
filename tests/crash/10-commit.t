#!/bin/sh
# A commit and an undo cut at any instant leave the old disk or the new one.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"
need mkntfs ntfsfix fsstat fls

# A small disk of one volume; the recorder keeps what is written to it.
mkdir d
truncate -s 8M d/v.img
mkntfs -F -q -f -s 512 -p 0 -H 0 -S 0 d/v.img >/dev/null 2>&1 || skip_all "mkntfs fails"
echo "what is put" >file
sha256sum <d/v.img >old.sum
# Undo refuses unless the disk holds exactly what was committed, so the disk is
# the new one if undoing it gives the old one.
cat >check.sh <<END
rm -rf c && cp -r "\$1" c
imgtool files ls c/v.img >names 2>reading || { cat reading; exit 1; }
cmp -s "\$1/v.img" c/v.img || { echo "reading wrote"; exit 1; }
# a writing open takes back what was begun
printf x | imgtool files put c/v.img - /finish >/dev/null 2>writing || { cat writing; exit 1; }
imgtool undo c/v.img >/dev/null || exit 1
ntfsfix -n c/v.img >fix 2>&1 || { cat fix; exit 1; }
fsstat c/v.img >fix 2>&1 || { cat fix; exit 1; }
fls -r c/v.img >fix 2>&1 || { cat fix; exit 1; }
seen=old
if grep -q '^file\$' names; then
	imgtool undo c/v.img >/dev/null || exit 1
	ntfsfix -n c/v.img >fix 2>&1 || { cat fix; exit 1; }
	seen=new
fi
[ "\$(sha256sum <c/v.img)" = "$(cat old.sum)" ] || { echo "another disk"; exit 1; }
[ ! -e c/v.img.undo ] || { echo "a log is left"; exit 1; }
echo \$seen
END

CRASH_MAX=${CRASH_MAX:-120}
export CRASH_MAX
crashes "commit" d check.sh imgtool files put d/v.img file /file
rm -rf d && cp -r d.before d && imgtool files put d/v.img file /file
sed 's/seen=old/seen=NEW/; s/seen=new/seen=old/; s/seen=NEW/seen=new/' check.sh >back.sh
crashes "undo" d back.sh imgtool undo d/v.img
done_testing
