/* hal.h - the hardware abstraction layers of 32-bit Windows, and their kernels
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Setup of 2000, XP and 2003 copies one HAL to hal.dll, and the kernels that
 * belong to it to ntoskrnl.exe and ntkrnlpa.exe; what a file was before, its
 * version resource says.  Sources: Microsoft KB309283, KB249694; hal.inf
 * (research X13, X14).  Vista has two, and Windows 7 chooses at every boot.
 */
#ifndef HAL_NEUTRAL_HAL_H
#define HAL_NEUTRAL_HAL_H

#include <stdbool.h>

#include "base/attr.h"
#include "hal-neutral/bootini.h"
#include "hal-neutral/image.h"

struct err;

struct hn_hal {
	const char *id;		/* hardware id of the root device "Computer" */
	const char *file;	/* "halaacpi.dll" */
	const char *kernel, *pae;	/* that go with it */
	const char *what;	/* "ACPI, one processor" */
	bool apic;		/* stops where there is none (0x79) */
	bool acpi;
};

extern const struct hn_hal hn_hals[];		/* ends with a NULL id */

const struct hn_hal *hn_hal_by_id(const char *id);
const struct hn_hal *hn_hal_by_file(const char *file);

/* What a kernel file is: its HAL by OriginalFilename; NULL unknown.  *ret is
 * its version (may be NULL). */
MUST_CHECK int hn_hal_of(const struct hn_image *im, const char *path,
			 const struct hn_hal **ret, struct hn_pe_version *ret_v,
			 struct err *e);

/* What the registry says it is (Enum\Root\ACPI_HAL, PCI_HAL); NULL. */
const struct hn_hal *hn_hal_registered(const struct hn_set *set);

/* What boots: names of the files below System32. */
struct hn_kernel {
	const struct hn_hal *hal;	/* NULL: unknown */
	char hal_file[64], kernel_file[64];
	bool chosen;		/* by the boot entry's /HAL= or /KERNEL=, or by
				 * the BCD's hal element */
	bool detected;		/* Windows chooses itself (Vista's detecthal, 7
				 * and later) */
	bool pae;		/* ntkrnlpa.exe may be taken in its place */
};

MUST_CHECK int hn_kernel_find(struct hn_image *im, const struct hn_set *set,
			      struct hn_kernel *ret, struct err *e);

#endif /* HAL_NEUTRAL_HAL_H */
