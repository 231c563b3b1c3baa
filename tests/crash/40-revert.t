#!/bin/sh
# A change set's revert cut at any instant: applied or taken back, and sound.
# Something else was changed since, so that it is no undo but a change of its own.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"
need ntfsfix fsstat fls mmls

mkdir d
guest d/t.img xp
start=$(mmls d/t.img | awk '$6 ~ /NTFS/ { print $3 + 0; exit }')
count=$(mmls d/t.img | awk '$6 ~ /NTFS/ { print $5 + 0; exit }')
serial=$(hal-neutral plan d/t.img --platform qemu-i440fx-ide 2>err | sed -n 's/^- \(0x[^ ]*\).*/\1/p')
{
	printf 'format: halcyon-plan\nversion: 1\nmade-by: hal-neutral test\nvolumes: [%s]\nentries:\n' "$serial"
	sed 's/^/- {/; s/$/, rule: test, why: a test}/' <<E
kind: directory, path: /New, old: absent, want: present
kind: file, path: /New/a.txt, old: absent, want: [text, "what was added"]
kind: registry-value, hive: /WINDOWS/system32/config/SYSTEM, key: Select, name: Extra, old: absent, want: [dword, 1]
E
} >a.plan
hal-neutral apply d/t.img a.plan >out 2>err || { cat err; exit 1; }
echo later | imgtool files put d/t.img - /later >out 2>err || { cat err; exit 1; }
imgtool undo --drop --yes -q d/t.img
# Old is here the disk with the changes.  Whichever it is, a revert leaves nothing of
# them and all of the rest, and sleuthkit and ntfsfix accept the volume.
cat >check.sh <<END
rm -rf c && cp -r --sparse=always "\$1" c
imgtool files ls c/t.img / >names 2>reading || { cat reading; exit 1; }
seen=new
grep -q '^New' names && seen=old
hal-neutral revert c/t.img >back 2>&1
status=\$?
[ \$status = 0 ] || [ \$status = 8 ] || { cat back; exit 1; }
imgtool files ls c/t.img / >names 2>&1 || { cat names; exit 1; }
grep -q '^New' names && { echo "not taken back"; exit 1; }
[ "\$(imgtool files cat c/t.img /later)" = later ] || { echo "later is lost"; exit 1; }
imgtool reg get c/t.img 'HKLM\\SYSTEM\\Select' Extra >value 2>&1
[ \$? = 8 ] || { cat value; exit 1; }
python3 "$TOP/tests/part.py" c/t.img $start $count v.img
ntfsfix -n v.img >fix 2>&1 || { cat fix; exit 1; }
fsstat v.img >fix 2>&1 || { cat fix; exit 1; }
fls -r v.img >fix 2>&1 || { cat fix; exit 1; }
hal-neutral revert c/t.img >again 2>&1
[ \$? = 8 ] || { echo "there is more to take back"; exit 1; }
# an empty folder may be left
[ ! -e c/t.img.changes ] || rmdir c/t.img.changes || { ls c/t.img.changes; exit 1; }
echo \$seen
END
CRASH_MAX=${CRASH_MAX:-24}
export CRASH_MAX
crashes "revert" d check.sh hal-neutral revert d/t.img
done_testing
