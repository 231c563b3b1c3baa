#!/bin/sh
# A pull cut off at any instant leaves the old versions, or also the new one; what
# it leaves lets the next pull end well.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"
. "$TOP/tests/mirror.sh"
need python3
origin 2
push stick win:1 >/dev/null
pull stick start >/dev/null
push stick win:2 >/dev/null
cat >check.sh <<END
rm -rf c c.img s && cp -r "\$1" c && cp -r state.before s
imgtool export -q win:1 c.img -r c -k client 2>export || { cat export; exit 1; }
cmp -s c.img v1.img || { echo "the old version is another"; exit 1; }
seen=old
if imgtool export -q win:2 c2.img -r c -k client 2>/dev/null; then
	seen=new
	cmp -s c2.img v2.img || { echo "the new version is another"; exit 1; }
	rm -f c2.img
fi
imgdelta pull "\$(cat from)" -r c -k client --state s >pull 2>&1 || { cat pull; exit 1; }
imgtool export -q win:2 c2.img -r c -k client 2>export || { cat export; exit 1; }
cmp -s c2.img v2.img || { echo "the resumed version is another"; exit 1; }
rm -f c2.img
imgtool verify -q -r c -k client >faults 2>&1 || { cat faults; exit 1; }
echo \$seen
END
CRASH_MAX=${CRASH_MAX:-40}
export CRASH_MAX
cp -r start.state state.before
cp -r start d
echo stick >from
crashes "pull of a delta" d check.sh \
	imgdelta pull stick -r d -k client --state start.state
# No delta: the origin has no longer what it would start from.
whole() {
	imgdelta push whole "$1" -r origin -k admin --trust root --state whole.state >/dev/null
}
whole win:1
rm -rf d start.state
imgtool init d -q -R client.pub --client
imgdelta pull whole -r d -k client --trust root --state start.state >/dev/null
imgtool remove -q win:1 -r origin -k admin --yes >/dev/null
whole win:2
rm -rf state.before && cp -r start.state state.before
echo whole >from
crashes "pull of records" d check.sh \
	imgdelta pull whole -r d -k client --state start.state
done_testing
