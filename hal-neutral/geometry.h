/* geometry.h - what an NTFS boot sector says about its disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot code of 2000, XP and 2003 counts sectors as cylinders, heads and
 * sectors with the heads that its own sector names (at 0x1A), and all of them
 * find their files from the hidden sectors (at 0x1C).  Heads must be the BIOS's,
 * which translates a disk's size ("LBA-assisted translation": 63 sectors a
 * track, at most 1024 cylinders); values as in virt-v2v, fix_ntfs_heads
 * (research X25).
 */
#ifndef HAL_NEUTRAL_GEOMETRY_H
#define HAL_NEUTRAL_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "hal-neutral/image.h"

struct err;

enum {
	HN_HEADS_AT = 0x1a,	/* 16 bits */
	HN_HIDDEN_AT = 0x1c,	/* 32 bits */
};

struct hn_geometry {
	bool code;		/* there is boot code in the sector */
	uint16_t heads, want_heads;
	uint32_t hidden, want_hidden;
};

/* Of a volume of the guest. */
MUST_CHECK int hn_geometry(const struct hn_image *im, size_t volume,
			   struct hn_geometry *ret, struct err *e);

#endif /* HAL_NEUTRAL_GEOMETRY_H */
