/* efi.S - the marker, read through UEFI and said
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What mkguest puts as code into \EFI\Boot\bootx64.efi: on every whole disk that
 * the firmware knows it reads the sector whose number mkguest wrote at `lba`
 * (EFI_BLOCK_IO_PROTOCOL); where that begins with "HALC" it sends the text up to
 * a NUL to the debug port E9 and to the console (OVMF's is on COM1 too), and
 * switches the machine off.  UEFI specification 2.10, sections 4.3, 7.3, 8.5, 13.9; calls are
 * Microsoft's (rcx, rdx, r8, r9, 32 bytes of shadow, the fifth at 32).
 */
.intel_syntax noprefix
.text
.globl _start
_start:
	push	rbp
	push	rbx
	push	rsi
	push	rdi
	push	r12
	push	r13
	push	r14
	sub	rsp, 0x270
	mov	rbp, rdx
	mov	r12, [rbp + 0x60]
	mov	ecx, 2
	lea	rdx, [rip + guid]
	xor	r8d, r8d
	lea	r9, [rsp + 0x30]
	lea	rax, [rsp + 0x38]
	mov	[rsp + 0x20], rax
	call	[r12 + 0x138]
	test	rax, rax
	jnz	off
	mov	r13, [rsp + 0x38]
	mov	r14, [rsp + 0x30]
disk:	test	r14, r14
	jz	off
	dec	r14
	mov	rcx, [r13 + r14 * 8]
	lea	rdx, [rip + guid]
	lea	r8, [rsp + 0x40]
	call	[r12 + 0x98]
	test	rax, rax
	jnz	disk
	mov	rbx, [rsp + 0x40]
	mov	rax, [rbx + 8]
	cmp	byte ptr [rax + 5], 0
	je	disk
	cmp	byte ptr [rax + 6], 0
	jne	disk
	cmp	dword ptr [rax + 12], 512
	jne	disk
	mov	rcx, rbx
	mov	edx, [rax]
	mov	r8, [rip + lba]
	mov	r9d, 512
	lea	rsi, [rsp + 0x60]
	mov	[rsp + 0x20], rsi
	call	[rbx + 0x18]
	test	rax, rax
	jnz	disk
	cmp	dword ptr [rsi], 0x434c4148
	jne	disk
	mov	edi, 512
say:	movzx	ebx, byte ptr [rsi]
	test	bl, bl
	jz	off
	inc	rsi
	mov	al, bl
	out	0xe9, al
	mov	[rsp + 0x48], rbx
	mov	rcx, [rbp + 0x40]
	lea	rdx, [rsp + 0x48]
	call	[rcx + 8]
	dec	edi
	jnz	say
off:	mov	ecx, 2
	xor	edx, edx
	xor	r8d, r8d
	xor	r9d, r9d
	mov	rax, [rbp + 0x58]
	call	[rax + 0x68]
2:	hlt
	jmp	2b
guid:	.long	0x964e5b21
	.word	0x6459, 0x11d2
	.byte	0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b
lba:	.quad	0
