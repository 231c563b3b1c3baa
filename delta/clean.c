/* clean.c - see clean.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/clean.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "store/cuts.h"
#include "store/map.h"

struct clean {
	struct dk *disk;		/* borrowed */
	struct st_cuts cuts;
};

static void
clean_free(struct clean *const *p)
{
	struct clean *c = *p;

	if (c == NULL)
		return;
	st_cuts_done(&c->cuts);
	free(c);
}

static void
clean_close(struct dk *d)
{
	struct clean *c = d->own;

	clean_free(&c);
}

/* The run that holds a byte, and how many bytes of [at, at + len) it has. */
static const struct st_run *
run_at(const struct clean *c, uint64_t at, uint64_t len, uint64_t *ret_len)
{
	const struct st_run *r =
		&c->cuts.run[st_cuts_find(&c->cuts, at / ST_SECTOR)];

	*ret_len = num_min(len, (r->at + r->len) * ST_SECTOR - at);
	return r;
}

static int
clean_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	const struct clean *c = d->own;
	uint8_t *p = buf;

	while (len > 0) {
		uint64_t n;
		const struct st_run *r = run_at(c, at, len, &n);

		if (r->object == ST_OBJECT_ZEROS)
			memset(p, 0, (size_t)n);
		else if (r->object == ST_OBJECT_ONES)
			memset(p, 0xff, (size_t)n);
		else if (dk_read(c->disk, p, (size_t)n, at, e) < 0)
			return -1;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
clean_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn,
	      void *arg, struct err *e)
{
	const struct clean *c = d->own;
	int r = 0;

	while (len > 0 && r == 0) {
		uint64_t n;
		const struct st_run *run = run_at(c, at, len, &n);

		if (run->object == ST_OBJECT_ZEROS)
			r = fn(arg, at, n, DK_ZERO, e);
		else if (run->object == ST_OBJECT_ONES)
			r = fn(arg, at, n, 0, e);
		else
			r = dk_extents(c->disk, at, n, fn, arg, e);
		at += n;
		len -= n;
	}
	return r;
}

static const struct dk_ops clean_ops = {
	.read = clean_read,
	.extents = clean_extents,
	.close = clean_close,
};

struct dk *
dl_clean(struct dk *d, src_tell_fn tell, struct src_left *ret_left,
	 struct err *e)
{
	SCOPED(clean_free) struct clean *c = mem_array(1, sizeof(*c), e);

	if (c == NULL ||
	    src_cut_disk(d, false, false, tell, &c->cuts, ret_left, e) < 0)
		return NULL;
	c->disk = d;
	return dk_new(&clean_ops, TAKE(c), d->name, d->size, d->sector, e);
}
