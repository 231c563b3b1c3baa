#!/bin/sh
# What was written over a version becomes the next one.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img qemu-io

imgcrypt keygen --no-passphrase -o admin >/dev/null
imgtool init repo -R admin.pub >/dev/null 2>&1
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
same() { qemu-img compare -s -f raw -F raw "$1" "$2"; }

guest disk.img win7
ok "import" imgtool import --exact disk.img win7
qemu-img create -q -f qcow2 -b disk.img -F raw over.qcow2
qemu-io -f qcow2 -c "write -P 0x5a 700M 3M" -c "write -z 1M 64k" \
	-c "write -P 0x33 1234567k 512" over.qcow2 >/dev/null
qemu-img convert -O raw over.qcow2 want.img
mv disk.img elsewhere.img
ok "commit" imgtool commit --exact --json win7:1 over.qcow2
is "$(jq -r '.version, .parent' out | tr '\n' ' ')" "2 win7:1 " "makes the next version"
is "$(($(jq .new out) < 1000000))" 1 "and stores what is new"
ok "export" imgtool export win7:2 got.img
ok "is the disk that the guest saw" same want.img got.img
ok "the version before stays" imgtool export --force win7:1 got.img
ok "as it was" same elsewhere.img got.img
is "$(find . -name '*.copy.*')" "" "no copy is left"

qemu-img create -q -f qcow2 small.qcow2 10M
exits 6 "an overlay of another size" imgtool commit win7:2 small.qcow2
says "*another size*" "is refused"
head -c 100000 /dev/urandom >noise.qcow2
exits 1 "no overlay at all" imgtool commit win7:2 noise.qcow2
exits 1 "an overlay that is not there" imgtool commit win7:2 ./nothing
exits 8 "a version that is not there" imgtool commit win7:9 over.qcow2
done_testing
