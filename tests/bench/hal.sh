#!/bin/sh
# hal.sh - plan, apply and verify of a fixture guest, beside virt-v2v in place
# SPDX-License-Identifier: GPL-3.0-or-later
#
# BENCH_V2V set: also virt-v2v-in-place on the same image, where it is installed (it
# starts an appliance, and needs minutes without KVM).
set -eu
PATH=${BUILD:?}:$PATH
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/halcyon-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
for kind in xp win7 win10; do
	case $kind in
	win10) p='--platform generic-nvme --platform hyperv-gen2' ;;
	*) p='--platform generic-ide --platform qemu-i440fx-ide' ;;
	esac
	mkguest $kind fresh.img
	echo "$kind: plan, apply and verify"
	v2v=
	if [ -n "${BENCH_V2V:-}" ] && [ $kind = win7 ]; then
		if command -v virt-v2v-in-place >/dev/null; then
			v2v="LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg timeout 1200 virt-v2v-in-place -i disk $dir/g.img"
		else
			echo "virt-v2v-in-place: not installed"
		fi
	fi
	python3 "$top/tests/measure.py" --runs 3 \
		--before "rm -rf g.img*; cp --sparse=always fresh.img g.img" \
		hal-neutral "sh -c 'hal-neutral plan -q g.img $p -o p --force && hal-neutral apply -q g.img p && hal-neutral verify g.img $p'" \
		${v2v:+virt-v2v-in-place "env $v2v"}
	rm -rf fresh.img g.img*
done
