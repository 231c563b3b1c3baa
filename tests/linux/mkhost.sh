#!/bin/sh
# mkhost.sh OUT INIT [FILE...] - an initial RAM disk with imgrun and all it runs
# SPDX-License-Identifier: GPL-3.0-or-later
#
# For tests of what needs a host of their own: it has USB, and runs INIT, a shell
# script, as its first program in a file system that can be left (pivot_root); FILEs
# (folders, too) lie in /root.  Prints the version of the kernel to start it with.
# Status 77, and the reason, where something for that is missing.
set -eu
out=$1 init=$2; shift 2
lack() { echo "$1"; exit 77; }

version=
for driver in /lib/modules/*/kernel/drivers/usb/host/xhci-pci.ko*; do
	v=${driver#/lib/modules/} v=${v%%/*}
	[ -r "/boot/vmlinuz-$v" ] && version=$v
done
[ -n "$version" ] || lack "no readable kernel with a driver for USB"
for p in busybox modprobe cpio; do command -v $p >/dev/null || lack "$p is not installed"; done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/proc" "$dir/sys" "$dir/dev" "$dir/new" "$dir/modules" "$dir/root" \
	"$dir/tmp" "$dir/etc" "$dir/run" "$dir/usr/lib" "$dir/usr/lib64" "$dir/usr/bin" \
	"$dir/usr/sbin" "$dir/var"
for l in bin sbin lib lib64; do ln -s usr/$l "$dir/$l"; done
# put FILE...: with the libraries that it loads
put() {
	for f; do
		mkdir -p "$dir${f%/*}"
		[ -e "$dir$f" ] || cp -L "$f" "$dir$f"
		ldd "$f" 2>/dev/null | sed -n 's/.*[ 	]\(\/[^ ]*\) (0x.*/\1/p'
	done | sort -u | while read -r l; do
		l=$(echo "$l" | sed 's|^/lib|/usr/lib|')
		mkdir -p "$dir${l%/*}"
		[ -e "$dir$l" ] || cp -L "$l" "$dir$l"
	done
}
plugins=$(ls -d /usr/lib/*-linux-*/qemu)
put "$(command -v qemu-system-x86_64)" "$(command -v nbdkit)" \
	"$plugins/accel-tcg-x86_64.so" "$plugins/accel-tcg-i386.so" "$plugins/hw-usb-host.so"
put "$BUILD/imgrun" "$BUILD/nbdkit-halcyon-plugin.so" "$BUILD/halcyon-net"
for f in imgrun nbdkit-halcyon-plugin.so halcyon-net; do
	mv "$dir$BUILD/$f" "$dir/usr/bin/"
done
cp "$(command -v busybox)" "$dir/usr/bin/busybox"
for d in /usr/share/seabios /usr/share/qemu; do
	mkdir -p "$dir$d"
	cp -L $d/*.bin "$dir$d/" 2>/dev/null || :
done
strip "$dir"/usr/bin/imgrun "$dir"/usr/bin/*.so 2>/dev/null || :

n=100
for m in sd_mod xhci_pci ehci_pci uhci_hcd usb_storage uas usbhid; do
	modprobe -d / -S "$version" --show-depends $m 2>/dev/null
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r m; do
	n=$((n + 1))
	to=$dir/modules/$n-${m##*/}
	case $m in
	*.xz) xz -dc "$m" >"${to%.xz}" ;;
	*.zst) zstd -dcq "$m" >"${to%.zst}" ;;
	*) cp "$m" "$to" ;;
	esac
done
for f; do cp -r "$f" "$dir/root/"; done
cp "$init" "$dir/root/init"
cat >"$dir/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in /modules/*; do insmod "$m"; done
mount -t tmpfs -o size=75%,mode=755 new /new
for d in usr bin sbin lib lib64 root etc tmp run var; do cp -a /$d /new/; done
mkdir /new/proc /new/sys /new/dev
for d in proc sys dev; do mount --move /$d /new/$d; done
exec switch_root /new /bin/sh /root/init
END
chmod 755 "$dir/init"
(cd "$dir" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) >"$out"
echo "$version"
