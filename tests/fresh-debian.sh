#!/bin/sh
# fresh-debian.sh - try README's two commands on a minimal Debian 12
# SPDX-License-Identifier: GPL-3.0-or-later
#
# As root: makes a chroot DIR with mmdebstrap, clones this repository into it, and
# runs `make demo` and `make check` there.  DIR stays for a look.
set -eu
dir=${1:-/var/tmp/halcyon-fresh}
top=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "fresh-debian.sh: needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || apt-get install -y mmdebstrap

rm -rf "$dir"
mmdebstrap --variant=apt --include=ca-certificates,git,make bookworm "$dir"
git clone -q "$top" "$dir/root/halcyon"
# A mount name space of its own, so that nothing stays mounted.
# shellcheck disable=SC2016 # the inner shell expands them
try() {
	echo "== make $1"
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		unshare --mount --propagation private sh -c '
			mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
			mount --rbind /sys "$1/sys" &&
			exec chroot "$1" make -C /root/halcyon "$2"' sh "$dir" "$1"
}
try demo
try check
