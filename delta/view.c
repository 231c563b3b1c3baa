/* view.c - see view.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"

enum { KEPT = 16 };		/* units, of at most DL_UNIT_MAX bytes */

/* A target: where the new disk is not the old one. */
struct piece {
	uint64_t at, len;
	const struct dl_unit *unit;
	uint64_t off;		/* in what the unit makes */
};

struct slot {
	const struct dl_unit *unit;	/* NULL: free */
	struct buf bytes;
	uint64_t used;			/* when, as a count of uses */
};

struct view {
	const struct dl_file *f;
	struct dk *old;
	struct piece *piece;		/* ascending */
	size_t pieces;
	struct dl_scratch *scratch;
	struct slot slot[KEPT];
	uint64_t uses;
};

static void
view_free(struct view *const *p)
{
	struct view *v = *p;

	if (v == NULL)
		return;
	for (size_t i = 0; i < KEPT; i++)
		buf_done(&v->slot[i].bytes);
	dl_scratch_free(&v->scratch);
	free(v->piece);
	free(v);
}

static void
view_close(struct dk *d)
{
	struct view *v = d->own;

	view_free(&v);
}

static int
by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int
list_pieces(struct view *v, struct err *e)
{
	const struct dl_delta *d = &v->f->d;

	v->piece = mem_array(d->extents, sizeof(*v->piece), e);
	if (v->piece == NULL)
		return -1;
	for (size_t i = 0; i < d->units; i++) {
		const struct dl_unit *u = &d->unit[i];
		uint64_t off = 0;

		for (size_t j = 0; j < u->targets; j++) {
			const struct dl_extent *x = &d->extent[u->target + j];

			v->piece[v->pieces++] = (struct piece){
				.at = x->at, .len = x->len, .unit = u,
				.off = off };
			off += x->len;
		}
	}
	mem_sort(v->piece, v->pieces, sizeof(*v->piece), by_place);
	return 0;
}

/* The piece that holds `at`, or the first behind it. */
static size_t
find(const struct view *v, uint64_t at)
{
	size_t low = 0, high = v->pieces;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct piece *x = &v->piece[mid];

		if (x->at <= at && at - x->at >= x->len)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* What a unit makes, from memory or made now. */
static const uint8_t *
unit_bytes(struct view *v, const struct dl_unit *u, struct err *e)
{
	struct slot *oldest = &v->slot[0];

	for (size_t i = 0; i < KEPT; i++) {
		struct slot *s = &v->slot[i];

		if (s->unit == u) {
			s->used = ++v->uses;
			return s->bytes.at;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	oldest->unit = NULL;
	if (dl_unit_make(v->f, u, v->old, v->scratch, &oldest->bytes, e) < 0)
		return NULL;
	oldest->unit = u;
	oldest->used = ++v->uses;
	return oldest->bytes.at;
}

/* Bytes of the old disk, zeros behind its end. */
static int
read_old(struct view *v, uint8_t *p, size_t len, uint64_t at, struct err *e)
{
	size_t n = 0;

	if (at < v->old->size)
		n = (size_t)num_min(len, v->old->size - at);
	memset(p + n, 0, len - n);
	return n == 0 ? 0 : dk_read(v->old, p, n, at, e);
}

static int
read_piece(struct view *v, const struct piece *x, uint8_t *p, size_t len,
	   uint64_t at, struct err *e)
{
	const uint8_t *bytes;

	if (x->unit->kind == DL_UNIT_ZERO) {
		memset(p, 0, len);
		return 0;
	}
	bytes = unit_bytes(v, x->unit, e);
	if (bytes == NULL)
		return -1;
	memcpy(p, bytes + x->off + (at - x->at), len);
	return 0;
}

static int
view_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	struct view *v = d->own;
	uint8_t *p = buf;

	for (size_t i = find(v, at); len > 0;) {
		const struct piece *x = i < v->pieces ? &v->piece[i] : NULL;
		size_t n = len;

		if (x != NULL && x->at <= at) {
			n = (size_t)num_min(n, x->len - (at - x->at));
			if (read_piece(v, x, p, n, at, e) < 0)
				return -1;
			i++;
		} else {
			if (x != NULL)
				n = (size_t)num_min(n, x->at - at);
			if (read_old(v, p, n, at, e) < 0)
				return -1;
		}
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

static const struct dk_ops view_ops = {
	.read = view_read,
	.close = view_close,
};

struct dk *
dl_view(const struct dl_file *f, struct dk *old, struct err *e)
{
	SCOPED(view_free) struct view *v = mem_array(1, sizeof(*v), e);

	if (v == NULL)
		return NULL;
	v->f = f;
	v->old = old;
	v->scratch = dl_scratch_new(e);
	if (v->scratch == NULL || list_pieces(v, e) < 0)
		return NULL;
	return dk_new(&view_ops, TAKE(v), f->d.new_name, f->d.new_size, 512, e);
}
