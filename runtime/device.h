/* device.h - the machine each operating system gets
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One row per system: devices it has drivers for out of the box.  Sources:
 * osinfo-db's microsoft.com data (which devices appear with which Windows),
 * virt-manager's clock defaults (no HPET, PIT tick policy delay, RTC drift
 * slewed), QEMU's docs/system/i386/hyperv.rst.  A row, once released, keeps its
 * meaning: a guest that sees other hardware asks to be activated again.
 * Specified, not boot-tested.
 */
#ifndef RUNTIME_DEVICE_H
#define RUNTIME_DEVICE_H

#include <stdbool.h>

#include "base/attr.h"
#include "runtime/guest.h"
#include "runtime/words.h"

enum rt_tpm { RT_TPM_NEVER, RT_TPM_KNOWN, RT_TPM_WANTED };

struct rt_device {
	const char *machine;	/* pinned type, with its properties */
	bool uefi;
	const char *cpu_hw, *cpu_sw;	/* under KVM, under emulation */
	const char *const *usb;		/* -device values, NULL-ended */
	bool xhci;			/* one bus for every speed of USB */
	const char *video, *nic;
	const char *const *sound;	/* likewise */
	enum rt_disk disk;		/* default */
	enum rt_tpm tpm;		/* 2.0 */
	unsigned memory, memory_max;	/* MiB */
	unsigned cpus, cpus_max;
};

const struct rt_device *rt_device(enum rt_os os);

/* What only the start knows. */
struct rt_machine {
	const struct rt_guest *guest;
	const char *uuid;	/* as SMBIOS shows it */
	bool kvm;
	/* As QEMU will see them; the last three -1 where there is no UEFI, no way
	 * to a network, or no TPM. */
	int qmp_fd, debug_fd, serial_fd, vars_fd, net_fd, tpm_fd;
	const char *socket;	/* the block server, as QEMU will see it */
};

/* The arguments of qemu-system-x86_64, its path first. */
MUST_CHECK int rt_device_argv(const struct rt_machine *m, const char *program,
			      struct rt_words *ret, struct err *e);

/* Where the UEFI firmware lies, or NULL when it is not installed. */
const char *rt_device_firmware(void);
const char *rt_device_vars(void);

#endif /* RUNTIME_DEVICE_H */
