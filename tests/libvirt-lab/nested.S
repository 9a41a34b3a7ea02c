/*
 * The nested guest: a boot sector, since a Linux takes a minute where QEMU emulates QEMU.
 *
 * It writes to COM1 the ids of every function on buses 0 to 7 that is no bridge and not
 * QEMU's own, then "up", and waits. The power button (virsh shutdown, virsh reboot) is
 * answered by S5. With POWEROFF it goes to S5 at once.
 */
	.code16
	.globl _start
_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7c00, %sp
	cld

	mov	$0x80000000, %ebx	/* bus 0, device 0, function 0 */
next:	mov	$0xcf8, %dx
	mov	%ebx, %eax
	out	%eax, %dx
	mov	$0xcfc, %dx
	in	%dx, %eax
	cmp	$0xffff, %ax
	je	skip
	mov	%eax, %esi
	mov	$0xcf8, %dx
	mov	%ebx, %eax
	or	$8, %al
	out	%eax, %dx
	mov	$0xcfc, %dx
	in	%dx, %eax
	shr	$24, %eax
	cmp	$6, %al			/* a bridge */
	je	skip
	mov	$'p', %al
	call	putc
	mov	%esi, %eax
	mov	$8, %cx
hex:	rol	$4, %eax
	push	%ax
	and	$15, %al
	cmp	$10, %al
	sbb	$0x69, %al
	das
	call	putc
	pop	%ax
	loop	hex
	mov	$'\n', %al
	call	putc
skip:	add	$0x100, %ebx
	cmp	$0x80080000, %ebx
	jne	next

	mov	$'U', %al
	call	putc
	mov	$'\n', %al
	call	putc
#ifdef POWEROFF
	jmp	off
#endif

	mov	$0x602, %dx		/* PM1_EN: the power button */
	mov	$0x0100, %ax
	out	%ax, %dx
	sti
wait:	hlt				/* until the timer's interrupt */
	mov	$0x600, %dx		/* PM1_STS */
	in	%dx, %ax
	test	$1, %ah
	jz	wait
	mov	$0x0100, %ax		/* it is cleared by a one */
	out	%ax, %dx

off:	mov	$0x604, %dx		/* PM1_CNT: SLP_EN, type 0 is S5 */
	mov	$0x2000, %ax
	out	%ax, %dx
	hlt
	jmp	off

putc:	push	%dx
	push	%ax
	mov	$0x3fd, %dx
1:	in	%dx, %al
	test	$0x20, %al
	jz	1b
	pop	%ax
	mov	$0x3f8, %dx
	out	%al, %dx
	pop	%dx
	ret

	.org	510
	.word	0xaa55
