#!/bin/sh
# fresh-debian.sh - try README's two commands on a minimal Debian 12
# SPDX-License-Identifier: GPL-3.0-or-later
#
# As root: makes a chroot with mmdebstrap (APT's own sources are used, so that a
# mirror set up on this machine serves it too), clones this repository into it,
# and runs `make demo` and `make check` there.  Takes about 20 minutes and 4 GiB;
# DIR is where, and stays for a look when something fails.
set -eu
dir=${1:-/var/tmp/halcyon-fresh}
top=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "fresh-debian.sh: needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || apt-get install -y mmdebstrap

rm -rf "$dir"
mmdebstrap --variant=apt --include=ca-certificates,git,make bookworm "$dir"
for f in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d \
	/etc/apt/auth.conf.d /etc/apt/trusted.gpg.d /etc/resolv.conf /etc/hosts \
	/usr/share/keyrings /etc/ssl/certs /usr/local/share/ca-certificates; do
	[ ! -e "$f" ] || { mkdir -p "$dir$(dirname "$f")" && cp -aL "$f" "$dir$(dirname "$f")/"; }
done
git clone -q "$top" "$dir/root/halcyon"
trap 'umount -l "$dir/proc" "$dir/dev" "$dir/sys" 2>/dev/null || :' EXIT
mount -t proc proc "$dir/proc"
mount --rbind /dev "$dir/dev"
mount --rbind /sys "$dir/sys"

try() {
	echo "== make $1"
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		chroot "$dir" make -C /root/halcyon "$1"
}
try demo
try check
