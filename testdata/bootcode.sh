#!/bin/sh
# bootcode.sh - assemble mbr.S, marker.S and efi.S into bootcode.c
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run by hand, in this directory, after a change of the sources, with GNU binutils;
# the build needs no assembler.  tests/cli/10-mkguest.t compares.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
table() {
	as "$2" -o "$tmp/o" "$1.S"
	objcopy -O binary -j .text "$tmp/o" "$tmp/bin"
	at=$(nm "$tmp/o" | awk '$3 == "lba" { print $1 }')
	printf '\n/* %s.S */\nconst size_t boot_%s_lba = 0x%x;\n' "$1" "$1" "0x$at"
	printf 'const size_t boot_%s_len = %s;\n' "$1" "$(wc -c <"$tmp/bin")"
	printf 'const uint8_t boot_%s[] = {\n' "$1"
	od -An -v -tx1 -w8 "$tmp/bin" | sed 's/ \(..\)/ 0x\1,/g; s/^ /\t/'
	printf '};\n'
}
{
	cat <<-'EOF'
	/* bootcode.c - the boot sectors of fixture disks, made by bootcode.sh
	 * SPDX-License-Identifier: GPL-3.0-or-later
	 */
	#include "testdata/layout.h"
	EOF
	table mbr --32
	table marker --32
	table efi --64
} >bootcode.c
