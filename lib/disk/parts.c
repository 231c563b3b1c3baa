/* parts.c - see parts.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "disk/parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "disk/gpt.h"

enum {
	MBR_BYTES = 512,
	TABLE_AT = 446,
	TYPE_GPT = 0xee,
};

/* One of the four entries, as it stands in a table. */
struct entry {
	uint8_t flag, type;
	uint32_t start, sectors;
};

static bool
is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* The four entries of a table sector, or false without the signature. */
static bool
read_table(const uint8_t sector[MBR_BYTES], struct entry ret[4])
{
	struct cur c = cur_over("partition table", sector + TABLE_AT,
				MBR_BYTES - TABLE_AT);

	for (int i = 0; i < 4; i++) {
		ret[i].flag = cur_u8(&c);
		(void)cur_sub(&c, 3);	/* cylinder, head, sector */
		ret[i].type = cur_u8(&c);
		(void)cur_sub(&c, 3);
		ret[i].start = cur_u32le(&c);
		ret[i].sectors = cur_u32le(&c);
	}
	return cur_u16le(&c) == 0xaa55 && cur_ok(&c);
}

/* A volume's boot sector has the same signature as a table. */
static bool
is_volume(const uint8_t sector[MBR_BYTES])
{
	static const char *const names[] = {
		"NTFS    ", "-FVE-FS-", "EXFAT   ", "MSDOS5.0", "MSWIN4.1",
		"mkfs.fat", "mkdosfs\0", "ReFS\0\0\0\0",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (memcmp(sector + 3, names[i], 8) == 0)
			return true;
	return memcmp(sector + 54, "FAT1", 4) == 0 ||
	       memcmp(sector + 82, "FAT32", 5) == 0;
}

/* A disk that Linux uses without a table: LVM's label in the second sector (or
 * one of its neighbours), or an ext superblock. */
static bool
is_linux(struct dk *d)
{
	struct err ignored = ERR_INIT;
	uint8_t b[4 * MBR_BYTES];

	if (d->size < sizeof(b) ||
	    dk_read(d, b, sizeof(b), 0, &ignored) < 0)
		return false;
	for (size_t at = 0; at < sizeof(b); at += MBR_BYTES)
		if (memcmp(b + at, "LABELONE", 8) == 0)
			return true;
	return b[1024 + 56] == 0x53 && b[1024 + 57] == 0xef;
}

static int
add_part(struct dk *d, struct dk_parts *p, size_t *cap, const struct entry *x,
	 uint64_t base, uint64_t entry_at, unsigned index, struct err *e)
{
	uint64_t start = (base + x->start) * p->sector;
	uint64_t size = (uint64_t)x->sectors * p->sector;
	struct dk_part *one;

	if (!num_in_range(start, size, d->size))
		return err_set(e, ERR_CORRUPT, "%s: partition %u ends behind "
			       "the disk; is the image truncated?", d->name,
			       index);
	if (mem_grow(&p->at, cap, p->count + 1, sizeof(*p->at), e) < 0)
		return -1;
	one = &p->at[p->count++];
	one->index = index;
	one->start = start;
	one->size = size;
	one->entry_at = entry_at;
	one->type = x->type;
	one->active = (x->flag & 0x80) != 0;
	return 0;
}

static int
read_link(struct dk *d, const struct dk_parts *p, uint64_t at,
	  struct entry ret[4], struct err *e)
{
	uint8_t sector[MBR_BYTES];

	if (!num_in_range(at, 1, d->size / p->sector))
		return err_set(e, ERR_CORRUPT, "%s: the chain of logical "
			       "partitions leaves the disk", d->name);
	if (dk_read(d, sector, sizeof(sector), at * p->sector, e) < 0)
		return -1;
	if (!read_table(sector, ret))
		return err_set(e, ERR_CORRUPT, "%s: the chain of logical "
			       "partitions is broken at sector %" PRIu64,
			       d->name, at);
	return 0;
}

/* Each link holds a partition, counted from the link, and the next link,
 * counted from the extended partition. */
static int
read_chain(struct dk *d, struct dk_parts *p, size_t *cap, uint64_t first,
	   struct err *e)
{
	uint64_t seen[DK_LOGICAL_MAX];
	uint64_t at = first;
	unsigned index = 5;

	for (size_t n = 0; ; n++) {
		struct entry x[4];
		const struct entry *next = NULL;

		for (size_t i = 0; i < n; i++)
			if (seen[i] == at)
				return err_set(e, ERR_CORRUPT, "%s: the chain "
					       "of logical partitions loops",
					       d->name);
		if (n == DK_LOGICAL_MAX)
			return err_set(e, ERR_UNSUPPORTED, "%s: more than %d "
				       "logical partitions", d->name,
				       DK_LOGICAL_MAX);
		seen[n] = at;
		if (read_link(d, p, at, x, e) < 0)
			return -1;
		for (unsigned i = 0; i < 4; i++) {
			if (x[i].sectors == 0 || x[i].type == 0)
				continue;
			if (is_extended(x[i].type))
				next = next == NULL ? &x[i] : next;
			else if (add_part(d, p, cap, &x[i], at, at * p->sector +
					  TABLE_AT + 16U * i, index++, e) < 0)
				return -1;
		}
		if (next == NULL)
			return 0;
		at = first + next->start;
	}
}

static int
read_mbr(struct dk *d, const uint8_t sector[MBR_BYTES], const struct entry x[4],
	 struct dk_parts *p, struct err *e)
{
	size_t cap = 0;
	uint64_t chain = 0;

	p->scheme = DK_MBR;
	for (int i = 3; i >= 0; i--)
		p->signature = p->signature << 8 | sector[440 + i];
	for (unsigned i = 0; i < 4; i++) {
		if (x[i].sectors == 0 || x[i].type == 0)
			continue;
		if (is_extended(x[i].type)) {
			chain = chain == 0 ? x[i].start : chain;
			continue;
		}
		if (add_part(d, p, &cap, &x[i], 0, TABLE_AT + 16U * i, i + 1,
			     e) < 0)
			return -1;
	}
	return chain == 0 ? 0 : read_chain(d, p, &cap, chain, e);
}

static int
read_bare(struct dk *d, struct dk_parts *p, struct err *e)
{
	p->scheme = DK_BARE;
	p->at = mem_array(1, sizeof(*p->at), e);
	if (p->at == NULL)
		return -1;
	p->count = 1;
	p->at[0].index = 1;
	p->at[0].size = d->size;
	return 0;
}

int
dk_parts_read(struct dk *d, struct dk_parts *ret, struct err *e)
{
	DK_PARTS_SCOPED struct dk_parts p = { .sector = d->sector };
	uint8_t sector[MBR_BYTES];
	struct entry x[4];
	bool gpt = false, table;

	if (d->size < MBR_BYTES)
		return err_set(e, ERR_CORRUPT, "%s: too short for a disk",
			       d->name);
	if (dk_read(d, sector, sizeof(sector), 0, e) < 0)
		return -1;
	table = read_table(sector, x);
	for (int i = 0; table && i < 4; i++)
		gpt = gpt || x[i].type == TYPE_GPT;
	if (table ? is_volume(sector) : !dk_gpt_there(d) && is_linux(d)) {
		if (read_bare(d, &p, e) < 0)
			return -1;
	} else if (gpt || (!table && dk_gpt_there(d))) {
		if (dk_gpt_read(d, &p, e) < 0)
			return -1;
	} else if (!table) {
		return err_set(e, ERR_CORRUPT, "%s: not a disk: it has neither "
			       "a partition table nor a boot sector", d->name);
	} else if (read_mbr(d, sector, x, &p, e) < 0) {
		return -1;
	}
	*ret = TAKE(p);
	return 0;
}

void
dk_parts_done(struct dk_parts *p)
{
	free(p->at);
	*p = (struct dk_parts)DK_PARTS_EMPTY;
}
