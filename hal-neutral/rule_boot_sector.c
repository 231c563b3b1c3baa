/* rule_boot_sector.c - the boot sector fits the disk it lies on
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Row X25: heads of the BIOS's translation, which XP's and 2003's boot code
 * counts with; and for every Windows the sector that the partition begins at.
 * NTFS keeps a copy of the sector in the last one of the partition, which is
 * mended too where it is a copy.
 */
#include "hal-neutral/rule.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "disk/disk.h"
#include "hal-neutral/geometry.h"

/* Does the partition's last sector begin as an NTFS boot sector? */
static int
has_copy(const struct hn_image *im, const struct wn_volume *v, bool *ret,
	 struct err *e)
{
	uint8_t oem[11] = { 0 };

	if (dk_read(im->in->guest->disk, oem, sizeof(oem),
		    v->start + v->size - im->in->guest->disk->sector, e) < 0)
		return -1;
	*ret = memcmp(oem + 3, "NTFS    ", 8) == 0;
	return 0;
}

static int
wish_field(struct hn_job *j, const struct wn_volume *v, uint64_t at,
	   const uint8_t *bytes, size_t len, struct cs_reason r, struct err *e)
{
	unsigned volume = cs_plan_volume(j->plan, vo_facts(v->vo)->serial);
	uint64_t last = v->size - j->im->in->guest->disk->sector;
	bool copy;

	if (has_copy(j->im, v, &copy, e) < 0)
		return -1;
	cs_want_bytes(j->plan, volume, at, bytes, len, r);
	if (copy)
		cs_want_bytes(j->plan, volume, last + at, bytes, len, r);
	return 0;
}

/* The heads that the platforms' BIOSes count; 0 when none starts by BIOS, or
 * when they disagree, with a note. */
static uint16_t
wanted_heads(struct hn_job *j, const struct hn_geometry *geo)
{
	uint16_t want = 0;

	for (size_t i = 0; i < j->platforms->count; i++) {
		const struct hn_platform *p = &j->platforms->at[i];
		uint16_t heads = p->heads != 0 ? p->heads : geo->want_heads;

		if (!p->bios)
			continue;
		if (want != 0 && want != heads) {
			buf_fmt(j->notes, "%s: counts %u heads, others %u; one "
				"boot sector cannot serve both\n", p->name,
				heads, want);
			return 0;
		}
		want = heads;
	}
	return want;
}

static int
wish(struct hn_job *j, struct err *e)
{
	struct cs_reason heads_why = {
		"boot-sector/X25", "the boot code counts with the heads that "
		"the BIOS translates this disk to"
	};
	struct cs_reason hidden_why = {
		"boot-sector/X25", "the boot code finds the volume where the "
		"partition begins"
	};
	const struct wn_guest *g = j->im->in->guest;

	for (size_t i = 0; i < g->volumes && j->im->bios; i++) {
		const struct wn_volume *v = &g->volume[i];
		struct hn_geometry geo;
		uint8_t at[4];
		uint16_t heads;

		if (!v->active || v->vo == NULL || v->kind != VO_NTFS)
			continue;
		if (hn_geometry(j->im, i, &geo, e) < 0)
			return -1;
		num_put_u32le(at, geo.want_hidden);
		if (geo.hidden != geo.want_hidden &&
		    wish_field(j, v, HN_HIDDEN_AT, at, 4, hidden_why, e) < 0)
			return -1;
		heads = wanted_heads(j, &geo);
		num_put_u16le(at, heads);
		if (j->im->in->generation <= WN_2003 && heads != 0 &&
		    geo.heads != heads &&
		    wish_field(j, v, HN_HEADS_AT, at, 2, heads_why, e) < 0)
			return -1;
	}
	return 0;
}

const struct hn_rule hn_rule_boot_sector = {
	.name = "boot-sector",
	.what = "heads and first sector in the boot sector are the disk's",
	.source = "virt-v2v, fix_ntfs_heads; SeaBIOS, disk translation",
	.first = WN_2000, .last = WN_11,
	.tested = HN_SPECIFIED,
	.wish = wish,
};
