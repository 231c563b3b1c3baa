#!/bin/sh
# mkdisk.sh OUT [WORD...] - a disk that starts a small Linux, by BIOS and by UEFI
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The kernel is one of this machine's, with drivers for every controller and
# card that a guest can get; the only program is init.c, compiled here; the WORDs
# go on the kernel's command line, for it.  Status 77, and the reason, where
# something for that is missing.
set -eu
here=$(dirname "$0")
out=$1; shift
lack() { echo "$1"; exit 77; }

version=
for ahci in /lib/modules/*/kernel/drivers/ata/ahci.ko*; do
	v=${ahci#/lib/modules/} v=${v%%/*}
	[ -r "/boot/vmlinuz-$v" ] && [ "$(head -c 1 "$ahci" | wc -c)" = 1 ] && version=$v
done
[ -n "$version" ] || lack "no readable kernel with a driver for AHCI"
for p in syslinux mformat mcopy modprobe; do
	command -v $p >/dev/null || lack "$p is not installed"
done
efi=/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi
ldlinux=/usr/lib/syslinux/modules/efi64/ldlinux.e64
[ -r $efi ] || lack "syslinux-efi is not installed"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/root/modules" "$dir/root/proc" "$dir/root/sys" "$dir/root/dev"
"${CC_GUEST:-cc}" -static -O1 -o "$dir/root/init" "$here/init.c"
n=100
for m in ata_piix ahci sd_mod virtio_pci virtio_blk virtio_scsi nvme e1000 e1000e \
	8139cp button evdev; do
	modprobe -d / -S "$version" --show-depends $m 2>/dev/null
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$dir/list"
while read -r m; do
	n=$((n + 1))
	to=$dir/root/modules/$n-${m##*/}
	case $m in
	*.xz) xz -dc "$m" >"${to%.xz}" ;;
	*.zst) zstd -dcq "$m" >"${to%.zst}" ;;
	*) cp "$m" "$to" ;;
	esac
done <"$dir/list"
strip --strip-debug "$dir"/root/modules/*
(cd "$dir/root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) | gzip -1 >"$dir/initrd"

# One FAT file system, whose boot sector is the disk's; the last MiBs are init's.
truncate -s 32M "$dir/disk"
mformat -i "$dir/disk" -T 49152 -h 64 -s 32 ::
cat >"$dir/syslinux.cfg" <<END
DEFAULT guest
PROMPT 0
TIMEOUT 0
LABEL guest
  LINUX /kernel
  INITRD /initrd
  APPEND quiet rdinit=/init mitigations=off nokaslr $*
END
mcopy -i "$dir/disk" "/boot/vmlinuz-$version" ::kernel
mcopy -i "$dir/disk" "$dir/initrd" "$dir/syslinux.cfg" ::
mmd -i "$dir/disk" ::EFI ::EFI/BOOT
mcopy -i "$dir/disk" $efi ::EFI/BOOT/BOOTX64.EFI
mcopy -i "$dir/disk" $ldlinux ::EFI/BOOT/
syslinux --install "$dir/disk"
cp --sparse=always "$dir/disk" "$out"
