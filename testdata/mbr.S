/* mbr.S - start the active partition, as a PC's master boot record does
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Moves itself from 7C00 to 0600, reads the first sector of the active
 * partition to 7C00 (INT 13h extended read, else by cylinder, head and sector
 * from the table) and jumps there with DL = drive, SI = table entry.
 */
.code16
.intel_syntax noprefix
.text
.globl _start
_start:
	cli
	xor	ax, ax
	mov	ss, ax
	mov	sp, 0x7c00
	mov	ds, ax
	mov	es, ax
	sti
	cld
	mov	si, 0x7c00
	mov	di, 0x600
	mov	cx, 256
	rep movsw
	.byte 0xea
	.word 0x600 + find - _start, 0
find:	mov	si, 0x7be
	mov	cx, 4
1:	test	byte ptr [si], 0x80
	jnz	load
	add	si, 16
	loop	1b
	jmp	fail
load:	mov	eax, [si + 8]
	mov	[0x600 + lba - _start], eax
	push	si
	mov	si, 0x600 + packet - _start
	mov	ah, 0x42
	int	0x13
	pop	si
	jnc	go
	mov	dh, [si + 1]
	mov	cx, [si + 2]
	mov	bx, 0x7c00
	mov	ax, 0x201
	int	0x13
	jc	fail
go:	cmp	word ptr [0x7dfe], 0xaa55
	jne	fail
	.byte 0xea
	.word 0x7c00, 0
fail:	mov	si, 0x600 + text - _start
2:	lodsb
	test	al, al
	jz	3f
	out	0xe9, al
	mov	ah, 0x0e
	mov	bx, 7
	int	0x10
	jmp	2b
3:	hlt
	jmp	3b
packet:	.byte	16, 0
	.word	1, 0x7c00, 0
lba:	.long	0, 0
text:	.asciz	"no active partition to start\r\n"
