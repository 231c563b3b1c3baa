/* pe.h - what a driver file says about itself: machine, kind, imports
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: "PE Format" (Microsoft, PE/COFF specification revision 11): MS-DOS
 * stub and e_lfanew, COFF header, optional header PE32 and PE32+, data
 * directories 1 (imports), 2 (resources), 4 (certificates; a file offset, not an RVA) and the
 * section table.  Only what a loader checks before it runs a driver is read.
 *
 * Limits: 96 sections (what Windows loads), 1024 imported modules, module names
 * of 255 bytes of printable ASCII.
 */
#ifndef HAL_NEUTRAL_PE_H
#define HAL_NEUTRAL_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum {
	HN_PE_I386 = 0x14c,
	HN_PE_AMD64 = 0x8664,
	HN_PE_ARM64 = 0xaa64,
	HN_PE_IA64 = 0x200,

	HN_PE_NATIVE = 1,	/* subsystem of kernel modules */

	HN_PE_MODULES_MAX = 1024,
};

struct hn_pe {
	uint16_t machine;
	uint16_t subsystem;
	bool executable;	/* the linker found no unresolved reference */
	bool has_certificate;	/* an embedded signature; not verified here */
	size_t modules;
	char **module;		/* names of imported modules; owned */
	size_t version_at, version_len;	/* of VS_VERSIONINFO in the file; 0, 0 */
};

/* What the version resource says ("VS_VERSIONINFO structure", Microsoft). */
struct hn_pe_version {
	uint16_t number[4];	/* of the file: 5.1.2600.5512 */
	char original[64];	/* OriginalFilename, in lower case; "" unknown */
};

#define HN_PE_EMPTY { .machine = 0 }
#define HN_PE_SCOPED SCOPED(hn_pe_done)

/* ERR_CORRUPT names what is wrong; `name` is for messages. */
MUST_CHECK int hn_pe_parse(const char *name, const void *at, size_t len,
			   struct hn_pe *ret, struct err *e);
void hn_pe_done(struct hn_pe *pe);

/* The version of a file that was parsed from these bytes: false when it has
 * none, or a broken one. */
bool hn_pe_version(const struct hn_pe *pe, const void *at, size_t len,
		   struct hn_pe_version *ret);

/* "x86", "amd64", "arm64", "ia64" or "unknown". */
const char *hn_pe_machine_name(uint16_t machine);

#endif /* HAL_NEUTRAL_PE_H */
