#!/bin/sh
# An apply of profiles cut at any instant leaves the old disk or the new one.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"
guest xp.img xp
mkdir d
guest d/t.img win7
imgcrypt keygen -o k --no-passphrase >/dev/null
profmig extract xp.img -u bob -R k.pub -o b >/dev/null
sum_of d/t.img >old.sum
# Whichever it is, applying to the end must give the new disk, and taking that
# back must give the old one, byte for byte.
cat >check.sh <<END
rm -rf c && cp -r --sparse=always "\$1" c
profmig users c/t.img >names 2>reading || { cat reading; exit 1; }
seen=old
grep -q '^bob' names && seen=new
if [ \$seen = old ]; then
	profmig verify b c/t.img -k k >/dev/null 2>&1 && exit 1
fi
profmig apply b c/t.img -k k >applied 2>writing || { cat writing; exit 1; }
grep -q '^0 changes' applied && again=new || again=old
[ \$again = \$seen ] || { echo "read as \$seen, written as \$again"; exit 1; }
profmig verify b c/t.img -k k >/dev/null 2>verify || { cat verify; exit 1; }
profmig revert c/t.img >/dev/null 2>back || { cat back; exit 1; }
[ "\$(python3 "$TOP/tests/sum.py" c/t.img)" = "$(cat old.sum)" ] || { echo "another disk"; exit 1; }
echo \$seen
END
CRASH_MAX=${CRASH_MAX:-24}
export CRASH_MAX
crashes "apply" d check.sh profmig apply b d/t.img -k k
done_testing
