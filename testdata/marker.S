/* marker.S - read the guest's marker through the BIOS and say it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stands at 7C54 in an NTFS boot sector, or at 7C00 in a protective MBR: it
 * runs wherever it lies.  Reads the sector whose number mkguest wrote at `lba`
 * (INT 13h extended read, else with the geometry that the BIOS tells), sends
 * its text up to a NUL to the debug port E9, to COM1 and to the screen, and
 * switches the machine off (PM1a control of QEMU's pc and q35 at port 604).
 * It uses nothing of the BPB, so that a repair of the geometry or of the hidden
 * sectors there leaves it running.
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
	call	here
here:	pop	bp
	sub	bp, offset here - _start
	mov	[bp + drive - _start], dl
	mov	ah, 0x41
	mov	bx, 0x55aa
	int	0x13
	jc	chs
	cmp	bx, 0xaa55
	jne	chs
	test	cl, 1
	jz	chs
	lea	si, [bp + packet - _start]
	mov	ah, 0x42
	mov	dl, [bp + drive - _start]
	int	0x13
	jnc	show
chs:	mov	ah, 8
	mov	dl, [bp + drive - _start]
	xor	di, di
	int	0x13
	jc	stop
	push	0
	pop	es
	movzx	ebx, dh
	inc	bx
	and	ecx, 0x3f
	mov	eax, [bp + lba - _start]
	xor	edx, edx
	div	ecx
	inc	dl
	push	dx
	xor	edx, edx
	div	ebx
	pop	cx
	mov	ch, al
	shl	ah, 6
	or	cl, ah
	mov	dh, dl
	mov	dl, [bp + drive - _start]
	mov	bx, 0x8000
	mov	ax, 0x201
	int	0x13
	jc	stop
show:	mov	si, 0x8000
	mov	di, 512
1:	lodsb
	test	al, al
	jz	stop
	out	0xe9, al
	mov	bl, al
	mov	dx, 0x3fd
	mov	cx, 0xffff
2:	in	al, dx
	test	al, 0x20
	loopz	2b
	mov	dx, 0x3f8
	mov	al, bl
	out	dx, al
	mov	ah, 0x0e
	mov	bx, 7
	int	0x10
	dec	di
	jnz	1b
stop:	mov	dx, 0x3fd
	mov	cx, 0xffff
3:	in	al, dx
	test	al, 0x40
	loopz	3b
	mov	dx, 0x604
	mov	ax, 0x2000
	out	dx, ax
4:	hlt
	jmp	4b
drive:	.byte	0x80
packet:	.byte	16, 0
	.word	1, 0x8000, 0
lba:	.long	0, 0
