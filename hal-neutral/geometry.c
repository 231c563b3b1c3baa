/* geometry.c - see geometry.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/geometry.h"

#include "base/cur.h"
#include "base/err.h"
#include "disk/disk.h"

enum { CODE_AT = 0x54, SECTOR = 512 };

static uint16_t
translated_heads(uint64_t disk_bytes)
{
	return disk_bytes < UINT64_C(2114445312) ? 0x40 :
	       disk_bytes < UINT64_C(4228374780) ? 0x80 : 0xff;
}

int
hn_geometry(const struct hn_image *im, size_t volume, struct hn_geometry *ret,
	    struct err *e)
{
	const struct wn_guest *g = im->in->guest;
	uint8_t sector[SECTOR] = { 0 };
	struct cur c = cur_over("boot sector", sector, sizeof(sector));
	struct hn_geometry geo = {
		.want_heads = translated_heads(g->disk->size),
		.want_hidden = (uint32_t)(g->volume[volume].start /
					  g->disk->sector),
	};

	if (dk_read(g->disk, sector, sizeof(sector), g->volume[volume].start,
		    e) < 0)
		return -1;
	(void)cur_sub(&c, HN_HEADS_AT);
	geo.heads = cur_u16le(&c);
	geo.hidden = cur_u32le(&c);
	for (size_t i = CODE_AT; i < SECTOR - 2; i++)
		geo.code = geo.code || sector[i] != 0;
	*ret = geo;
	return 0;
}
