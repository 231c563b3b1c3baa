/* gpt.c - GUID partition tables: UEFI 2.10, 5.3
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "disk/gpt.h"

#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "disk/disk.h"
#include "disk/parts.h"

enum {
	HEADER = 92,
	ENTRY_MIN = 128, ENTRY_MAX = 4096,
};

const uint8_t dk_guid_esp[16] = {
	0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
	0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
};
const uint8_t dk_guid_basic[16] = {
	0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44,
	0x87, 0xc0, 0x68, 0xb6, 0xb7, 0x26, 0x99, 0xc7,
};
const uint8_t dk_guid_reserved[16] = {
	0x16, 0xe3, 0xc9, 0xe3, 0x5c, 0x0b, 0xb8, 0x4d,
	0x81, 0x7d, 0xf9, 0x2d, 0xf0, 0x02, 0x15, 0xae,
};
const uint8_t dk_guid_recovery[16] = {
	0xa4, 0xbb, 0x94, 0xde, 0xd1, 0x06, 0x40, 0x4d,
	0xa1, 0x6a, 0xbf, 0xd5, 0x01, 0x79, 0xd6, 0xac,
};

/* {af9b60a0-1431-4f62-bc68-3311714a69ad}: LDM data partition */
const uint8_t dk_guid_ldm[16] = {
	0xa0, 0x60, 0x9b, 0xaf, 0x31, 0x14, 0x62, 0x4f,
	0xbc, 0x68, 0x33, 0x11, 0x71, 0x4a, 0x69, 0xad,
};

void
dk_guid_text(const uint8_t g[16], char ret[37])
{
	(void)snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		       "%02x%02x%02x%02x%02x%02x", g[3], g[2], g[1], g[0], g[5],
		       g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13],
		       g[14], g[15]);
}

static uint32_t
crc_add(uint32_t crc, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
	}
	return crc;
}

WRAPS uint32_t
dk_crc32(const void *buf, size_t len)
{
	return ~crc_add(~0U, buf, len);
}

struct header {
	uint64_t self, other, first, last, table;
	uint32_t count, entry_bytes, table_crc;
	uint8_t guid[16];
};

/* One copy's header: true when it is whole and belongs where it was found. */
static bool
parse_header(const uint8_t *sector, uint64_t found_at, struct header *ret)
{
	struct cur c = cur_over("GPT", sector, HEADER);
	uint8_t copy[HEADER];
	struct header h;
	uint32_t bytes, crc;

	cur_magic(&c, "EFI PART", 8);
	(void)cur_u32le(&c);	/* revision */
	bytes = cur_u32le(&c);
	crc = cur_u32le(&c);
	cur_zeros(&c, 4);
	h.self = cur_u64le(&c);
	h.other = cur_u64le(&c);
	h.first = cur_u64le(&c);
	h.last = cur_u64le(&c);
	cur_bytes(&c, h.guid, sizeof(h.guid));
	h.table = cur_u64le(&c);
	h.count = cur_u32le(&c);
	h.entry_bytes = cur_u32le(&c);
	h.table_crc = cur_u32le(&c);
	/* Windows and Linux write 92, and a longer one has no defined fields. */
	if (!cur_ok(&c) || bytes != HEADER || h.self != found_at)
		return false;
	memcpy(copy, sector, HEADER);
	memset(copy + 16, 0, 4);
	if (dk_crc32(copy, HEADER) != crc)
		return false;
	*ret = h;
	return true;
}

/* Read the table that a header names; *ret is freed by the caller. */
static bool
read_entries(struct dk *d, uint32_t sector, const struct header *h,
	     uint8_t **ret)
{
	struct err e = ERR_INIT;
	uint8_t *table;
	size_t bytes;

	if (h->count > DK_PARTS_MAX || h->entry_bytes < ENTRY_MIN ||
	    h->entry_bytes > ENTRY_MAX || h->entry_bytes % 8 != 0)
		return false;
	bytes = (size_t)h->count * h->entry_bytes;
	if (!num_in_range(h->table, bytes / sector + 1, d->size / sector))
		return false;
	table = mem_array(bytes, 1, &e);
	if (table == NULL)
		return false;
	if (dk_read(d, table, bytes, h->table * sector, &e) < 0 ||
	    dk_crc32(table, bytes) != h->table_crc) {
		free(table);
		return false;
	}
	*ret = table;
	return true;
}

static bool
read_copy(struct dk *d, uint32_t sector, uint64_t at, struct header *ret,
	  uint8_t **ret_table)
{
	struct err e = ERR_INIT;
	uint8_t bytes[512];

	if (!num_in_range(at, 1, d->size / sector) ||
	    dk_read(d, bytes, sizeof(bytes), at * sector, &e) < 0 ||
	    !parse_header(bytes, at, ret))
		return false;
	return ret_table == NULL || read_entries(d, sector, ret, ret_table);
}

bool
dk_gpt_there(struct dk *d)
{
	struct header h;

	return read_copy(d, d->sector, 1, &h, NULL) ||
	       (d->size >= d->sector &&
		read_copy(d, d->sector, d->size / d->sector - 1, &h, NULL));
}

static int
add_entry(struct dk *d, struct dk_parts *p, const uint8_t *entry,
	  uint64_t entry_at, unsigned index, struct err *e)
{
	static const uint8_t unused[16];
	struct cur c = cur_over("GPT entry", entry, ENTRY_MIN);
	SCOPED_FREE char *name = NULL;
	struct dk_part one = { .index = index, .entry_at = entry_at };
	uint64_t first, last, sectors = d->size / p->sector;
	uint8_t units[2 * 36];
	size_t n = 0;

	cur_bytes(&c, one.type_guid, 16);
	cur_bytes(&c, one.guid, 16);
	first = cur_u64le(&c);
	last = cur_u64le(&c);
	one.attributes = cur_u64le(&c);
	cur_bytes(&c, units, sizeof(units));
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (memcmp(one.type_guid, unused, 16) == 0)
		return 0;
	if (last < first || last >= sectors)
		return err_set(e, ERR_CORRUPT, "%s: partition %u ends behind "
			       "the disk; is the image truncated?", d->name,
			       index);
	while (n + 1 < sizeof(units) &&
	       (units[n] | units[n + 1]) != 0)
		n += 2;
	name = utf_from16(units, n, e);
	if (name == NULL)
		return -1;
	(void)snprintf(one.name, sizeof(one.name), "%s", name);
	one.start = first * p->sector;
	one.size = (last - first + 1) * p->sector;
	one.active = (one.attributes & 4) != 0;
	p->at[p->count++] = one;
	return 0;
}

int
dk_gpt_read(struct dk *d, struct dk_parts *p, struct err *e)
{
	SCOPED_FREE uint8_t *first = NULL;
	SCOPED_FREE uint8_t *second = NULL;
	struct header a, b;
	const struct header *h = &a;
	uint64_t last = d->size / p->sector - 1;
	bool good = read_copy(d, p->sector, 1, &a, &first);
	bool backup = read_copy(d, p->sector, good ? a.other : last, &b,
				&second);

	p->scheme = DK_GPT;
	p->from_backup = !good;
	p->backup_bad = !backup;
	if (!good && !backup)
		return err_set(e, ERR_CORRUPT, "%s: both copies of its GPT are "
			       "damaged", d->name);
	if (!good)
		h = &b;
	memcpy(p->guid, h->guid, sizeof(p->guid));
	p->at = mem_array(h->count, sizeof(*p->at), e);
	if (p->at == NULL)
		return -1;
	for (uint32_t i = 0; i < h->count; i++)
		if (add_entry(d, p, (good ? first : second) +
			      (size_t)i * h->entry_bytes,
			      h->table * p->sector +
			      (uint64_t)i * h->entry_bytes, i + 1, e) < 0)
			return -1;
	return 0;
}
