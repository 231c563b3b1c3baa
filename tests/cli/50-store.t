#!/bin/sh
# The repository: what goes in comes out, and nothing else is ever served.
# SPDX-License-Identifier: GPL-3.0-or-later
. tests/tap.sh
need qemu-img

quietly() { "$@" >/dev/null 2>&1 </dev/null; }
quietly imgcrypt keygen --no-passphrase -o admin
quietly imgcrypt keygen --no-passphrase -o stranger
ok "init" imgtool init repo -R admin.pub
export IMGTOOL_REPO="$PWD/repo" IMGTOOL_KEY="$PWD/admin"
exits 2 "init refuses a directory in use" imgtool init repo -R admin.pub
exits 2 "init needs a recipient" imgtool init other

# ---- in and out, exactly ----
for kind in xp vista win7 win10; do
	guest $kind.img $kind || continue
	ok "$kind: import --exact" imgtool import --exact $kind.img $kind
	is "$(cat out)" "$kind:1" "$kind: prints the version"
	for format in raw qcow2 vhd vhdx vmdk vdi; do
		qemu=$format
		[ $format != vhd ] || qemu=vpc
		imgtool export -q $kind:1 out.$format
		# Strictly means size and holes too; formats differ in how they
		# keep holes, so each is judged as the raw disk it makes.
		qemu-img convert -f $qemu -O raw out.$format back.img
		ok "$kind: $format is the same disk" \
			qemu-img compare -s -f raw -F raw $kind.img back.img
		rm -f out.$format back.img
	done
done
done_testing
