/* platform.h - a machine that an image must boot on
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A platform is a YAML file, halcyon-platform(5).  Those that ship lie in
 * hal-neutral/platforms; --platform takes the name of one of them, or a path.
 */
#ifndef HAL_NEUTRAL_PLATFORM_H
#define HAL_NEUTRAL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;

enum {
	HN_DEVICES_MAX = 16,
	HN_IDS_MAX = 64,
	HN_PLATFORMS_MAX = 256,
};

enum hn_cpu { HN_CPU_ANY, HN_CPU_INTEL, HN_CPU_AMD };

/* A device on the way from the firmware to the system disk. */
struct hn_device {
	size_t ids;
	char **id;		/* what Windows' bus driver calls it, hardware
				 * and then compatible ids, most special first;
				 * owned */
	bool pci;
	uint16_t vendor, device;	/* 0: any */
	uint32_t class;		/* PCI class code: base, sub, interface */
};

struct hn_platform {
	char *name, *what;
	bool bios, uefi;	/* firmware it can start from */
	enum hn_cpu cpu;
	bool madt;		/* its firmware has the ACPI table of APICs */
	uint16_t heads;		/* that its BIOS translates the disk to; 0: as
				 * most do */
	size_t devices;
	struct hn_device device[HN_DEVICES_MAX];
};

struct hn_platforms {
	size_t count, cap;
	struct hn_platform *at;		/* owned */
};

#define HN_PLATFORM_EMPTY { .name = NULL }
#define HN_PLATFORM_SCOPED SCOPED(hn_platform_done)
#define HN_PLATFORMS_EMPTY { .at = NULL }
#define HN_PLATFORMS_SCOPED SCOPED(hn_platforms_done)

void hn_platform_done(struct hn_platform *p);
void hn_platforms_done(struct hn_platforms *p);

/* Read one. */
MUST_CHECK int hn_platform_parse(const char *name, const void *text,
				 size_t len, struct hn_platform *ret,
				 struct err *e);

/* By name or path (one with a slash or ending in .yaml).  An unknown name is
 * ERR_USAGE and says what there is. */
MUST_CHECK int hn_platform_load(const char *name, struct hn_platform *ret,
				struct err *e);

/* All that ship, by name. */
MUST_CHECK int hn_platforms_shipped(struct hn_platforms *ret, struct err *e);

/* Add one to a list, which then owns it. */
MUST_CHECK int hn_platforms_add(struct hn_platforms *list,
				struct hn_platform *p, struct err *e);

/* A PCI function as its configuration space has it. */
struct hn_pci {
	uint16_t vendor, device;
	bool has_subsystem, has_revision;
	uint32_t subsystem;	/* subsystem device in the upper half */
	uint8_t revision;
	uint32_t class;
};

/* The ids that Windows' pci.sys gives a function, most special first.  vendor
 * 0: only those made of the class. */
MUST_CHECK int hn_pci_ids(const struct hn_pci *pci, struct hn_device *ret,
			  struct err *e);

#endif /* HAL_NEUTRAL_PLATFORM_H */
