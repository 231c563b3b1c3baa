/* layer_write.c - what a guest writes, appended to a layer; see layer.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/num.h"
#include "store/layer-private.h"

enum {
	CHECKPOINT_SEGMENTS = 4,	/* rolled before the next checkpoint */
	TRIMMED_BYTES = 1 << 20,	/* a last segment worth leaving */
};

/* ---- appending; the write lock is held ----------------------------------- */

int
st_layer_sync(struct st_layer *l, struct err *e)
{
	uint64_t upto = l->generation;

	if (l->failed)
		return err_set(e, ERR_SYSTEM, "%s: an earlier sync failed, so "
			       "nothing written since is sure", l->path);
	if (l->segs == 0 || l->synced == upto)
		return 0;
	if (fdatasync(l->seg[l->segs - 1].fd) < 0) {
		l->failed = true;
		return err_sys(e, "%s: sync", l->path);
	}
	l->synced = upto;
	return 0;
}

/* Give space back; that none could be found for it, now, harms nobody. */
static int
tidy(struct st_layer *l, struct err *e)
{
	struct err why = ERR_INIT;

	if (st_layer_tidy(l, &why) < 0 && l->failed)
		return err_set(e, why.kind, "%s", why.msg);
	return 0;
}

/* Another segment takes the next records. */
static int
next_segment(struct st_layer *l, struct err *e)
{
	if (l->segs > 0) {
		struct st_lseg *s = &l->seg[l->segs - 1];

		/* A write that failed may have left something behind. */
		if (ftruncate(s->fd, (off_t)s->end) < 0)
			return err_sys(e, "%s", l->path);
		if (st_layer_sync(l, e) < 0)
			return -1;
		if (s->number >= l->checkpoint_segment + CHECKPOINT_SEGMENTS &&
		    st_layer_checkpoint(l, e) < 0)
			return -1;
	}
	(void)pthread_rwlock_wrlock(&l->map);
	int r = st_layer_seg_new(l, e);
	(void)pthread_rwlock_unlock(&l->map);
	return r < 0 ? -1 : tidy(l, e);
}

/* The segment that takes the next records, a new one where the last is full. */
static int
current_segment(struct st_layer *l, struct err *e)
{
	if (l->segs > 0 && l->seg[l->segs - 1].end < ST_LSEG_BYTES)
		return 0;
	return next_segment(l, e);
}

int
st_layer_give_back(struct st_layer *l, struct err *e)
{
	const struct st_lseg *s = l->segs == 0 ? NULL : &l->seg[l->segs - 1];
	struct err why = ERR_INIT;

	if (!l->trimmed || s == NULL)
		return 0;
	l->trimmed = false;
	if (s->end < TRIMMED_BYTES || s->live * ST_LREC_DATA * 2 > s->end)
		return tidy(l, e);
	/* no room for another one: this one stays */
	if (next_segment(l, &why) < 0 && l->failed)
		return err_set(e, why.kind, "%s", why.msg);
	return 0;
}

/* Seal and write records that follow each other, then let the map know. */
static int
append(struct st_layer *l, struct st_lrec *rec, size_t count,
       const uint8_t *const *data, struct err *e)
{
	size_t len = 0;

	if (l->failed)
		return st_layer_sync(l, e);
	if (current_segment(l, e) < 0)
		return -1;
	struct st_lseg *s = &l->seg[l->segs - 1];
	for (size_t i = 0; i < count; i++) {
		rec[i].generation = l->generation + 1 + i;
		rec[i].synced = l->synced;
		len += st_lrec_seal(l, &rec[i], s->number, s->end + len,
				    data == NULL ? NULL : data[i],
				    l->batch + len);
	}
	if (io_write_at(s->fd, l->batch, len, s->end, l->path, e) < 0)
		return -1;

	int r = 0;
	(void)pthread_rwlock_wrlock(&l->map);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = st_layer_prepare(l, &rec[i], e);
	if (r == 0) {
		uint64_t at = s->end;

		for (size_t i = 0; i < count; i++) {
			st_layer_apply(l, &rec[i],
				       st_loc(s->number, (uint32_t)at));
			at += rec[i].kind == ST_LREC_KIND_DATA ? ST_LREC_DATA :
								 ST_LREC_ZERO;
		}
		s->end = at;
		l->generation += count;
		l->changed = true;
	}
	(void)pthread_rwlock_unlock(&l->map);
	return r;
}

int
st_layer_append(struct st_layer *l, uint64_t block,
		const uint8_t data[ST_LAYER_BLOCK], struct err *e)
{
	struct st_lrec r = { .kind = ST_LREC_KIND_DATA, .block = block,
			     .count = 1 };

	return append(l, &r, 1, &data, e);
}

static int
append_zeros(struct st_layer *l, uint64_t block, uint64_t count, struct err *e)
{
	struct st_lrec r = { .kind = ST_LREC_KIND_ZERO, .block = block,
			     .count = count };

	return count == 0 ? 0 : append(l, &r, 1, NULL, e);
}

/* A block of which only [in, in + len) is new: the rest stays. */
static int
write_part(struct st_layer *l, const uint8_t *p, size_t len, uint64_t block,
	   size_t in, struct err *e)
{
	uint8_t whole[ST_LAYER_BLOCK] = { 0 };
	uint64_t at = block * ST_LAYER_BLOCK;
	size_t there = (size_t)num_min(ST_LAYER_BLOCK, l->size - at);

	if (st_layer_read(l, whole, there, at, e) < 0)
		return -1;
	if (p == NULL)
		memset(whole + in, 0, len);
	else
		memcpy(whole + in, p, len);
	return st_layer_append(l, block, whole, e);
}

/* Whole blocks. */
static int
write_whole(struct st_layer *l, const uint8_t *p, size_t blocks, uint64_t block,
	    struct err *e)
{
	struct st_lrec r[ST_LAYER_BATCH];
	const uint8_t *data[ST_LAYER_BATCH];

	while (blocks > 0) {
		size_t n = blocks < ST_LAYER_BATCH ? blocks : ST_LAYER_BATCH;

		for (size_t i = 0; i < n; i++) {
			r[i] = (struct st_lrec){ .kind = ST_LREC_KIND_DATA,
						 .block = block + i,
						 .count = 1 };
			data[i] = p + i * ST_LAYER_BLOCK;
		}
		if (append(l, r, n, data, e) < 0)
			return -1;
		p += n * ST_LAYER_BLOCK;
		block += n;
		blocks -= n;
	}
	return 0;
}

/* p NULL: zeros. */
static int
write_locked(struct st_layer *l, const uint8_t *p, uint64_t len, uint64_t at,
	     struct err *e)
{
	uint64_t block = at / ST_LAYER_BLOCK;
	size_t in = at % ST_LAYER_BLOCK;

	if (in > 0) {
		size_t n = (size_t)num_min(ST_LAYER_BLOCK - in, len);

		if (write_part(l, p, n, block, in, e) < 0)
			return -1;
		p = p == NULL ? NULL : p + n;
		len -= n;
		block++;
	}
	uint64_t whole = len / ST_LAYER_BLOCK;
	if (p == NULL ? append_zeros(l, block, whole, e) < 0 :
			write_whole(l, p, (size_t)whole, block, e) < 0)
		return -1;
	size_t rest = (size_t)(len % ST_LAYER_BLOCK);
	if (rest == 0)
		return 0;
	return write_part(l, p == NULL ? NULL : p + whole * ST_LAYER_BLOCK,
			  rest, block + whole, 0, e);
}

static int
change(struct st_layer *l, const uint8_t *p, uint64_t len, uint64_t at,
       struct err *e)
{
	if (st_layer_range(l, at, len, e) < 0)
		return -1;
	if (!l->writable)
		return err_set(e, ERR_UNSAFE, "%s: was opened for reading",
			       l->path);
	(void)pthread_mutex_lock(&l->write);
	l->trimmed |= p == NULL;
	int r = write_locked(l, p, len, at, e);
	(void)pthread_mutex_unlock(&l->write);
	return r;
}

int
st_layer_write(struct st_layer *l, const void *buf, size_t len, uint64_t at,
	       struct err *e)
{
	return change(l, buf, len, at, e);
}

int
st_layer_zero(struct st_layer *l, uint64_t len, uint64_t at, struct err *e)
{
	return change(l, NULL, len, at, e);
}

int
st_layer_trim(struct st_layer *l, uint64_t len, uint64_t at, struct err *e)
{
	uint64_t from, to;

	if (st_layer_range(l, at, len, e) < 0)
		return -1;
	to = at + len == l->size ? l->size :
		num_align_down(at + len, ST_LAYER_BLOCK);
	if (!num_align_up(at, ST_LAYER_BLOCK, &from) || from >= to)
		return 0;
	return change(l, NULL, to - from, from, e);
}

int
st_layer_flush(struct st_layer *l, struct err *e)
{
	(void)pthread_mutex_lock(&l->write);
	int r = st_layer_sync(l, e) < 0 ? -1 : st_layer_give_back(l, e);
	(void)pthread_mutex_unlock(&l->write);
	return r;
}
