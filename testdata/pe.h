/* pe.h - the smallest honest Windows programs and drivers, and cabinets
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_PE_H
#define TESTDATA_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { PE_I386 = 0x14c, PE_AMD64 = 0x8664 };
enum { PE_NATIVE = 1, PE_GUI = 2, PE_CONSOLE = 3, PE_EFI = 10 };

struct pe {
	uint16_t machine, subsystem;
	bool dll;
	const char *original;		/* OriginalFilename */
	const char *what;		/* FileDescription */
	const char *version;		/* "5.1.2600.5512" */
	const char *imports;		/* "a.sys:Func b.exe:Func", or NULL */
	uint32_t stamp;			/* TimeDateStamp */
	const uint8_t *code;		/* of the entry; NULL: it returns */
	size_t code_len;
};

/* A valid image of at least `size` bytes. */
void pe_put(struct buf *out, const struct pe *pe, size_t size);

/* A cabinet (MSCF, one folder, stored) of count files. */
struct cab_file {
	const char *name;
	const uint8_t *data;
	size_t len;
};
void cab_put(struct buf *out, const struct cab_file *files, size_t count);

#endif /* TESTDATA_PE_H */
