/* parts.h - partition tables: MBR with extended chains, GPT
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Facts: UEFI specification 2.10, 5 (GPT, CRCs, backup table, protective MBR);
 * the MBR and extended boot records as Windows XP to 11 and util-linux read
 * them.  MBR fields count logical sectors, as do GPT's.
 */
#ifndef DISK_PARTS_H
#define DISK_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct dk;
struct err;

enum dk_scheme {
	DK_BARE,		/* no table: the disk is one volume */
	DK_MBR,
	DK_GPT,
};

enum {
	DK_LOGICAL_MAX = 128,	/* links of an extended chain that are followed */
	DK_PARTS_MAX = 1024,	/* entries of a GPT that are read */
};

struct dk_part {
	unsigned index;		/* as Windows and Linux number it; from 1; MBR
				 * logical partitions from 5 */
	uint64_t start, size;	/* bytes; inside the disk, size at least 1 */
	uint64_t entry_at;	/* where on the disk its table entry lies */
	uint8_t type;		/* MBR */
	bool active;		/* MBR boot flag; GPT legacy boot attribute */
	uint8_t type_guid[16];	/* GPT, in disk order */
	uint8_t guid[16];
	uint64_t attributes;	/* GPT */
	char name[36 * 3 + 1];	/* GPT, WTF-8 */
};

struct dk_parts {
	enum dk_scheme scheme;
	uint32_t sector;	/* bytes its numbers count: 512 or 4096 */
	uint32_t signature;	/* MBR: as in Windows' MountedDevices */
	uint8_t guid[16];	/* GPT: the disk's */
	bool from_backup;	/* GPT: the first copy is damaged */
	bool backup_bad;	/* GPT: the second copy is damaged or gone */
	size_t count;
	struct dk_part *at;	/* owned; in order of index */
};

#define DK_PARTS_EMPTY { .at = NULL }
#define DK_PARTS_SCOPED SCOPED(dk_parts_done)

/*
 * Read the table.  A disk that begins with a volume's boot sector (or as LVM and ext do) is DK_BARE
 * with one partition that is all of it.  ERR_CORRUPT: neither table nor boot
 * sector, a chain that loops, both copies of a GPT bad.  A partition that
 * leaves the disk is ERR_CORRUPT too: the image is truncated.
 */
MUST_CHECK int dk_parts_read(struct dk *d, struct dk_parts *ret, struct err *e);
void dk_parts_done(struct dk_parts *p);

/* A GUID in disk order as text, in lower case without braces. */
void dk_guid_text(const uint8_t guid[16], char ret[37]);

/* Type GUIDs, in disk order. */
extern const uint8_t dk_guid_esp[16];		/* EFI system partition */
extern const uint8_t dk_guid_basic[16];		/* Windows basic data */
extern const uint8_t dk_guid_reserved[16];	/* Microsoft reserved */
extern const uint8_t dk_guid_recovery[16];	/* Windows recovery */
extern const uint8_t dk_guid_ldm[16];		/* of a dynamic disk */

enum { DK_TYPE_LDM = 0x42 };	/* MBR: of a dynamic disk */

/* CRC-32 as in GPT (IEEE 802.3, reflected). */
uint32_t dk_crc32(const void *buf, size_t len);

#endif /* DISK_PARTS_H */
