/* layer_tidy.c - a layer gives back the space of what was written over
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A checkpoint comes before a segment is removed: from then on nobody needs the
 * records that said what had become of its blocks.
 */
#include <errno.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "store/layer-private.h"

/* The segment, not the last, with the least in it; NULL when it is not worth
 * the copying. */
static const struct st_lseg *
emptiest(const struct st_layer *l)
{
	const struct st_lseg *least = NULL;

	for (size_t i = 0; i + 1 < l->segs; i++)
		if (least == NULL || l->seg[i].live < least->live)
			least = &l->seg[i];
	if (least == NULL || least->live * ST_LREC_DATA * 2 > least->end)
		return NULL;
	return least;
}

/* Append again each record of a segment that is still the newest of its
 * block. */
static int
move_blocks(struct st_layer *l, uint32_t number, struct err *e)
{
	SCOPED_FREE char *path = st_layer_seg_path(l, number, e);
	uint64_t at = ST_LSEG_HEADER;

	if (path == NULL)
		return -1;
	for (;;) {
		/* Appending may move the array of segments. */
		const struct st_lseg *s = st_layer_seg(l, number);
		uint8_t head[ST_LREC_HEADER], block[ST_LAYER_BLOCK];

		if (s->live == 0 || at + ST_LREC_ZERO > s->end)
			return 0;
		if (io_read_at(s->fd, head, sizeof(head), at, path, e) < 0)
			return -1;
		struct cur c = cur_over(path, head, sizeof(head));
		struct st_lrec r = st_lrec_header(&c);
		if (!cur_ok(&c))
			return cur_err(&c, e);

		uint64_t loc = st_loc(number, (uint32_t)at);
		if (r.kind == ST_LREC_KIND_DATA && r.block < l->table.blocks &&
		    st_ltable_get(&l->table, r.block) == loc &&
		    (st_layer_block(l, loc, block, e) < 0 ||
		     st_layer_append(l, r.block, block, e) < 0))
			return -1;
		at += r.kind == ST_LREC_KIND_DATA ? ST_LREC_DATA : ST_LREC_ZERO;
	}
}

static int
remove_empty(struct st_layer *l, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i + 1 < l->segs; i++)
		any |= l->seg[i].live == 0;
	if (!any)
		return 0;

	/* The checkpoint must not name what goes. */
	SCOPED_FREE struct st_lseg *gone = mem_array(l->segs, sizeof(*gone), e);
	size_t kept = 0, n = 0;
	if (gone == NULL || st_layer_sync(l, e) < 0)
		return -1;
	(void)pthread_rwlock_wrlock(&l->map);
	for (size_t i = 0; i < l->segs; i++) {
		if (i + 1 < l->segs && l->seg[i].live == 0)
			gone[n++] = l->seg[i];
		else
			l->seg[kept++] = l->seg[i];
	}
	l->segs = kept;
	(void)pthread_rwlock_unlock(&l->map);

	int r = st_layer_checkpoint(l, e);
	for (size_t i = 0; i < n; i++) {
		(void)close(gone[i].fd);
		SCOPED_FREE char *path = r < 0 ? NULL :
			st_layer_seg_path(l, gone[i].number, e);
		if (path != NULL && unlink(path) < 0 && errno != ENOENT)
			r = err_sys(e, "%s", path);
	}
	return r;
}

int
st_layer_tidy(struct st_layer *l, struct err *e)
{
	const struct st_lseg *s = emptiest(l);

	if (l->tidying)
		return 0;
	l->tidying = true;
	int r = s != NULL && s->live > 0 ? move_blocks(l, s->number, e) : 0;
	if (r == 0)
		r = remove_empty(l, e);
	l->tidying = false;
	return r;
}
