#!/bin/sh
# A repository whose writer is cut off at any instant opens again, with every
# version whole, and goes on as if nothing had happened.
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016
. tests/tap.sh
. "$TOP/tests/crash/crash.sh"
need qemu-img qemu-io

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgcrypt keygen --no-passphrase -o client >/dev/null
imgcrypt keygen --no-passphrase -o second >/dev/null
export IMGTOOL_REPO="$PWD/r" IMGTOOL_KEY="$PWD/admin"
CRASH_MAX=${CRASH_MAX:-60}
export CRASH_MAX

# Three disks with a part in common; packs of which little stays in use.
head -c 262144 /dev/urandom >shared
for n in 1 2 3; do { cat shared; head -c 524288 /dev/urandom; } >disk$n.img; done
cp disk3.img disk4.img
dd if=/dev/urandom of=disk4.img bs=65536 seek=6 count=1 conv=notrunc 2>/dev/null
imgtool init r -R admin.pub >/dev/null 2>&1
{
	imgtool import disk1.img a
	imgtool import disk2.img a
	imgtool import disk3.img b
	imgcrypt recipients add b -R client.pub
} >/dev/null 2>&1

# whole VERSION DISK...: it is stored, and is one of these disks
cat >whole.sh <<'END'
version=$1; shift
rm -f out.raw
imgtool export -q "$version" out.raw || exit 1
for disk; do cmp -s out.raw "$disk" && exit 0; done
echo "$version is another disk"
exit 1
END
# What holds after every cut: what was there is whole, both for us and for whom
# it was sealed to, before and after the next writer has cleaned up.
cat >common.sh <<'END'
for round in 1 2; do
	imgtool verify -q >said 2>&1 || { cat said; exit 1; }
	sh whole.sh a:2 disk2.img && sh whole.sh b:1 disk3.img || exit 1
	IMGTOOL_KEY=$PWD/client sh whole.sh b:1 disk3.img || exit 1
	[ $round = 2 ] || imgtool gc -q >said 2>&1 || { cat said; exit 1; }
done
find "$1" -name '*.tmp.*' | grep . && exit 1
END
# states NAME CHECK COMMAND...: CHECK is shell that prints old or new
states() {
	name=$1; shift
	{
		echo 'set -u; word=$('
		echo "$1"
		echo ')'
		cat common.sh
		echo 'echo $word'
	} >check.sh
	shift
	rm -rf r && cp -a clean r
	crashes "$name" r check.sh "$@"
}
cp -a r clean

has_3='[ -e $1/refs/a/3 ] && echo new || echo old'
states "import" "$has_3
	[ ! -e \$1/refs/a/3 ] || sh whole.sh a:3 disk3.img >&2
	imgtool import -q disk3.img a >&2 && sh whole.sh a disk3.img >&2" \
	imgtool import disk3.img a
states "import of a new image" '[ -e $1/refs/new/1 ] && echo new || echo old
	[ ! -e $1/refs/new/1 ] || sh whole.sh new:1 disk4.img >&2' \
	imgtool import disk4.img new
qemu-img create -q -f qcow2 -o size=786432 over.qcow2
qemu-io -f qcow2 -c "write -P 0x5a 128k 70k" over.qcow2 >/dev/null
python3 -c '
d = bytearray(open("disk2.img", "rb").read())
d[131072:131072 + 71680] = b"\x5a" * 71680
open("over.img", "wb").write(d)'
states "commit" "$has_3
	[ ! -e \$1/refs/a/3 ] || sh whole.sh a:3 over.img >&2" \
	imgtool commit a:2 over.qcow2
states "tag" 'x=$(imgtool log --json a | jq -r ".versions[0].tags")
	[ "$x" = gold ] && echo new || echo old
	[ "$x" != gold ] || sh whole.sh a:gold disk2.img >&2' imgtool tag a:2 gold
states "remove" '[ "$(cat $1/refs/a/1)" = removed ] && echo new || echo old
	[ "$(cat $1/refs/a/1)" = removed ] || sh whole.sh a:1 disk1.img >&2' \
	imgtool remove --yes a:1
opens_a='rm -f out.raw
	IMGTOOL_KEY=$PWD/second imgtool export -q a:2 out.raw 2>/dev/null'
states "recipients add" "$opens_a && echo new || echo old" \
	imgcrypt recipients add a:2 -R second.pub
rm -rf r && cp -a clean r && imgcrypt recipients add a:2 -R second.pub
rm -rf before && mv clean before && cp -a r clean
states "recipients remove" "$opens_a && echo old || echo new" \
	imgcrypt recipients remove a:2 -R second.pub
states "rotate" '[ -e $1/refs/b/2 ] && echo new || echo old
	[ ! -e $1/refs/b/2 ] || sh whole.sh b:2 disk3.img >&2
	! IMGTOOL_KEY=$PWD/client imgtool export -q b:2 no.raw 2>/dev/null >&2' \
	imgcrypt rotate b

# ---- gc: one pack goes, one is written again ----
rm -rf r && cp -a before r && imgtool remove --yes -q a:1 >/dev/null
packs=$(find r/packs -type f | sort | md5sum)
rm -rf clean && cp -a r clean
states "gc" "[ \"\$(find \$1/packs -name '*.pack' | sort | md5sum)\" = '$packs' ] &&
	echo old || echo new" imgtool gc
done_testing
