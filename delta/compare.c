/* compare.c - which places of two disks differ; see make.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "delta/make.h"
#include "disk/disk.h"

enum { PAGE = 4096 };

/* One disk, block by block. */
struct side {
	struct dk *disk;
	uint8_t *data;		/* which blocks may hold data, a bit each */
	uint8_t *block;		/* DL_BLOCK bytes: the present one */
	bool zero;		/* it is all zeros */
};

struct work {
	struct side old, new;
	const uint8_t *same;
	struct dl_delta *d;
	struct dl_changes *changes;
};

void
dl_changes_done(struct dl_changes *c)
{
	free(c->at);
	*c = (struct dl_changes)DL_CHANGES_EMPTY;
}

static void
side_done(struct side *s)
{
	free(s->data);
	free(s->block);
}

static void
work_done(struct work *w)
{
	side_done(&w->old);
	side_done(&w->new);
}

static int
note_extent(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	struct side *s = arg;

	(void)e;
	if ((kind & DK_ZERO) != 0)
		return 0;
	for (uint64_t b = at / DL_BLOCK; b <= (at + len - 1) / DL_BLOCK; b++)
		s->data[b / 8] |= (uint8_t)(1 << b % 8);
	return 0;
}

static int
side_begin(struct side *s, struct dk *disk, struct err *e)
{
	s->disk = disk;
	s->data = mem_array((size_t)(disk->size / DL_BLOCK / 8 + 1), 1, e);
	s->block = mem_array(DL_BLOCK, 1, e);
	if (s->data == NULL || s->block == NULL)
		return -1;
	if (disk->size == 0)
		return 0;
	return dk_extents(disk, 0, disk->size, note_extent, s, e);
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* May block b hold anything but zeros? */
static bool
side_has(const struct side *s, uint64_t b)
{
	return b * DL_BLOCK < s->disk->size &&
	       (s->data[b / 8] & 1 << b % 8) != 0;
}

/* Read block b; what lies behind the end of the disk is zeros. */
static int
side_read(struct side *s, uint64_t b, struct err *e)
{
	uint64_t at = b * DL_BLOCK;
	size_t len;

	s->zero = true;
	if (!side_has(s, b)) {
		memset(s->block, 0, DL_BLOCK);
		return 0;
	}
	len = (size_t)num_min(DL_BLOCK, s->disk->size - at);
	memset(s->block + len, 0, DL_BLOCK - len);
	if (dk_read(s->disk, s->block, len, at, e) < 0)
		return -1;
	s->zero = all_zero(s->block, len);
	return 0;
}

/* [at, at + len) of the new disk changes. */
static int
note_change(struct work *w, uint64_t at, uint64_t len, struct err *e)
{
	struct dl_changes *c = w->changes;
	struct dl_extent *last = c->count == 0 ? NULL : &c->at[c->count - 1];

	if (last != NULL && last->at + last->len == at) {
		last->len += len;
		return 0;
	}
	if (mem_grow(&c->at, &c->cap, c->count + 1, sizeof(*c->at), e) < 0)
		return -1;
	c->at[c->count++] = (struct dl_extent){ .at = at, .len = len };
	return 0;
}

/* [at, at + len) of the new disk becomes zeros. */
static int
note_zero(struct work *w, uint64_t at, uint64_t len, struct err *e)
{
	struct dl_delta *d = w->d;

	if (d->units > 0) {
		struct dl_extent *last = &d->extent[d->extents - 1];

		if (last->at + last->len == at) {
			last->len += len;
			d->unit[d->units - 1].len += len;
			return 0;
		}
	}
	if (dl_delta_unit(d, DL_UNIT_ZERO, e) < 0)
		return -1;
	return dl_delta_target(d, at, len, e);
}

/* Compare the present blocks page by page; *ret_kept: some of the old one is
 * kept. */
static int
compare_pages(struct work *w, uint64_t at, size_t len, bool *ret_kept,
	      struct err *e)
{
	for (size_t off = 0; off < len; off += PAGE) {
		const uint8_t *new = w->new.block + off;
		size_t n = (size_t)num_min(PAGE, len - off);

		if (memcmp(w->old.block + off, new, n) == 0)
			*ret_kept = true;
		else if ((all_zero(new, n) ? note_zero : note_change)(
				 w, at + off, n, e) < 0)
			return -1;
	}
	return 0;
}

/* Say what is kept of the old disk's block b. */
static int
note_block(struct work *w, uint64_t b, bool kept, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES];
	uint64_t at = b * DL_BLOCK;

	if (at >= w->old.disk->size)
		return 0;
	if (!kept || w->old.zero)
		return dl_delta_block(w->d, kept ? DL_RUN_ZERO : DL_RUN_UNUSED,
				      NULL, e);
	cx_hash(hash, w->old.block,
		(size_t)num_min(DL_BLOCK, w->old.disk->size - at));
	return dl_delta_block(w->d, DL_RUN_DATA, hash, e);
}

static int
compare_block(struct work *w, uint64_t b, struct err *e)
{
	uint64_t at = b * DL_BLOCK, size = w->new.disk->size;
	size_t len = at >= size ? 0 : (size_t)num_min(DL_BLOCK, size - at);
	bool kept = false;

	if (w->same != NULL && (w->same[b / 8] & 1 << b % 8) != 0) {
		if (side_read(&w->old, b, e) < 0)
			return -1;
		return note_block(w, b, true, e);
	}
	if (!side_has(&w->old, b) && !side_has(&w->new, b)) {
		w->old.zero = true;
		return note_block(w, b, len > 0, e);
	}
	if (side_read(&w->old, b, e) < 0 || side_read(&w->new, b, e) < 0)
		return -1;
	if (w->old.zero && w->new.zero)
		kept = len > 0;
	else if (compare_pages(w, at, len, &kept, e) < 0)
		return -1;
	return note_block(w, b, kept, e);
}

int
dl_compare(struct dk *old, struct dk *new, const uint8_t *same,
	   struct dl_delta *d, struct dl_changes *ret, struct progress *p,
	   struct err *e)
{
	SCOPED(work_done) struct work w = { .same = same, .d = d,
					    .changes = ret };
	uint64_t size = num_max(old->size, new->size);

	d->old_size = old->size;
	d->new_size = new->size;
	if (side_begin(&w.old, old, e) < 0 || side_begin(&w.new, new, e) < 0)
		return -1;
	for (uint64_t b = 0; b * DL_BLOCK < size; b++) {
		if (stop_check(e) < 0 || compare_block(&w, b, e) < 0)
			return -1;
		progress_add(p, num_min(DL_BLOCK, size - b * DL_BLOCK));
		progress_show(p);
	}
	return 0;
}
