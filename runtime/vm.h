/* vm.h - QEMU, started in its jail and waiting
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RUNTIME_VM_H
#define RUNTIME_VM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "runtime/jail.h"
#include "runtime/qmp.h"
#include "runtime/state.h"

struct err;

/* What a guest may write to each of its logs. */
#define RT_LOG_MAX (64u << 20)

/* Make sure that what QEMU needs is installed; *ret is its path, which the
 * caller frees. */
MUST_CHECK int rt_vm_program(char **ret, struct err *e);

struct rt_vm {
	const struct rt_stored *s;
	const char *program;	/* rt_vm_program() */
	enum rt_rung rung;
	bool kvm;
	int net, tpm;		/* QEMU's ends of its ways to a network and to a TPM,
				   -1 where the guest has none; the caller's */
};

/*
 * Start QEMU for the guest, connect its monitor, and leave the guest waiting at
 * its first instruction.  q->on_event and q->arg are the caller's.
 */
MUST_CHECK int rt_vm_start(const struct rt_vm *vm, struct rt_qmp *q, pid_t *ret,
			   struct err *e);

#endif /* RUNTIME_VM_H */
