/* layout.h - partition tables, boot sectors, volumes put into their disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_LAYOUT_H
#define TESTDATA_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

/* Machine code (bootcode.c), and where in it the sector number goes. */
extern const size_t boot_mbr_len, boot_mbr_lba;
extern const size_t boot_marker_len, boot_marker_lba, boot_efi_len, boot_efi_lba;
extern const uint8_t boot_mbr[], boot_marker[], boot_efi[];

struct layout_part {
	uint64_t start, sectors;
	uint8_t type;		/* MBR; 0 ends a list */
	bool active;
	const uint8_t *type_guid, *guid;	/* GPT: 16 bytes as on disk */
	const char *name;			/* GPT */
};

struct layout {
	uint64_t sectors;
	unsigned heads;
	uint32_t signature;
	const uint8_t *disk_guid;	/* not NULL: GPT */
	const struct layout_part *parts;
};

/* Write the partition table and, on GPT, boot code that reads marker_lba. */
MUST_CHECK int layout_table(int fd, const struct layout *l, uint64_t marker_lba,
			    struct err *e);

/* Put our boot code and the serial number into an NTFS volume's boot sector
 * and its copy in the last sector. */
MUST_CHECK int layout_boot_sector(int fd, uint64_t sectors, uint64_t marker_lba,
				  uint64_t serial, struct err *e);

/* Copy a volume to its place, leaving holes for zeros. */
MUST_CHECK int layout_copy(int from, int to, uint64_t bytes, uint64_t at,
			   struct err *e);

#endif /* TESTDATA_LAYOUT_H */
