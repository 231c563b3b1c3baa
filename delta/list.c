/* list.c - see list.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/delta.h"
#include "store/codec.h"

enum {
	ITEMS_MAX = 50000,		/* the rest is summed up */
	TEXT_MAX = 15 << 20,		/* bytes of an unpacked list */
	PATH_MAX_BYTES = 65535,
	ITEM_BYTES = 18,		/* without its path */
};

void
dl_shares_done(struct dl_shares *s)
{
	free(s->at);
	*s = (struct dl_shares)DL_SHARES_EMPTY;
}

int
dl_share_add(struct dl_shares *s, size_t unit, uint32_t volume, uint32_t placed,
	     uint64_t len, struct err *e)
{
	struct dl_share *last = s->count == 0 ? NULL : &s->at[s->count - 1];

	if (last != NULL && last->unit == unit && last->volume == volume &&
	    last->placed == placed) {
		last->bytes += len;
		return 0;
	}
	if (mem_grow(&s->at, &s->cap, s->count + 1, sizeof(*s->at), e) < 0)
		return -1;
	s->at[s->count++] = (struct dl_share){
		.unit = unit, .bytes = len, .volume = volume, .placed = placed };
	return 0;
}

/* The volume that holds a place, or NULL. */
static const struct dl_volume *
volume_at(const struct dl_files *f, uint64_t at)
{
	for (size_t i = 0; i < f->count; i++)
		if (at >= f->at[i].l.at && at - f->at[i].l.at < f->at[i].l.size)
			return &f->at[i];
	return NULL;
}

int
dl_share_rest(struct dl_shares *s, size_t unit, const struct dl_files *new,
	      uint64_t at, uint64_t len, struct err *e)
{
	while (len > 0) {
		const struct dl_volume *v = volume_at(new, at);
		uint32_t kind = DL_SHARE_OUTSIDE;
		uint64_t n = num_min(len, 4096);

		if (v != NULL) {
			uint64_t c = (at - v->l.at) / v->l.cluster;

			kind = v->used != NULL && c < v->clusters &&
			       (v->used[c / 8] & 1 << c % 8) == 0 ?
			       DL_SHARE_FREE : DL_SHARE_OTHER;
		}
		if (dl_share_add(s, unit, 0, kind, n, e) < 0)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

void
dl_list_done(struct dl_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->at[i].path);
	free(l->at);
	*l = (struct dl_list)DL_LIST_EMPTY;
}

/* ---- summing up ---- */

static char *
share_path(const struct dl_share *s, const struct dl_files *new, struct err *e)
{
	const struct vo_layout *l;

	switch (s->placed) {
	case DL_SHARE_FREE:
		return mem_str("(free space)", e);
	case DL_SHARE_OTHER:
		return mem_str("(in no file)", e);
	case DL_SHARE_OUTSIDE:
		return mem_str("(outside of NTFS volumes)", e);
	default:
		l = &new->at[s->volume].l;
		return vo_layout_path(l, l->placed[s->placed].record, e);
	}
}

static int
by_path(const void *a, const void *b)
{
	const struct dl_item *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
by_cost(const void *a, const void *b)
{
	const struct dl_item *x = a, *y = b;

	if (x->packed != y->packed)
		return x->packed > y->packed ? -1 : 1;
	if (x->changed != y->changed)
		return x->changed > y->changed ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Let items of one path be one item. */
static void
merge(struct dl_list *l)
{
	size_t n = 0;

	if (l->count == 0)
		return;
	mem_sort(l->at, l->count, sizeof(*l->at), by_path);
	for (size_t i = 1; i < l->count; i++) {
		struct dl_item *last = &l->at[n], *x = &l->at[i];

		if (strcmp(last->path, x->path) == 0) {
			last->changed += x->changed;
			last->packed += x->packed;
			free(x->path);
		} else {
			l->at[++n] = *x;
		}
	}
	l->count = n + 1;
	mem_sort(l->at, l->count, sizeof(*l->at), by_cost);
}

/* Keep the first of a long list, and the sum of the others. */
static int
shorten(struct dl_list *l, struct err *e)
{
	struct dl_item rest = { .path = NULL };

	if (l->count <= ITEMS_MAX)
		return 0;
	rest.path = mem_str("(other files)", e);
	if (rest.path == NULL)
		return -1;
	while (l->count >= ITEMS_MAX) {
		struct dl_item *x = &l->at[--l->count];

		rest.changed += x->changed;
		rest.packed += x->packed;
		free(x->path);
	}
	l->at[l->count++] = rest;
	return 0;
}

int
dl_list_make(const struct dl_shares *s, const struct dl_files *new,
	     const struct dl_delta *d, struct dl_list *ret, struct err *e)
{
	DL_LIST_SCOPED struct dl_list l = DL_LIST_EMPTY;

	if (mem_grow(&l.at, &l.cap, s->count, sizeof(*l.at), e) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++) {
		const struct dl_unit *u = &d->unit[s->at[i].unit];
		struct dl_item *x = &l.at[l.count];

		x->path = share_path(&s->at[i], new, e);
		if (x->path == NULL)
			return -1;
		l.count++;
		x->changed = s->at[i].bytes;
		/* len is at most DL_UNIT_MAX: no product is too large */
		x->packed = u->len == 0 ? 0 : u->packed * x->changed / u->len;
	}
	merge(&l);
	if (shorten(&l, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

/* ---- bytes ---- */

int
dl_list_encode(const struct dl_list *l, struct buf *out, struct err *e)
{
	ST_CODER_SCOPED struct st_coder *coder = st_coder_new(e);
	BUF_SCOPED struct buf plain = BUF_EMPTY;
	BUF_SCOPED struct buf packed = BUF_EMPTY;
	enum st_codec codec;

	if (coder == NULL)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		const struct dl_item *x = &l->at[i];
		size_t n = num_min(strlen(x->path), PATH_MAX_BYTES);

		if (plain.len + ITEM_BYTES + n > TEXT_MAX)
			break;		/* paths like novels */
		buf_u64le(&plain, x->changed);
		buf_u64le(&plain, x->packed);
		buf_u16le(&plain, (uint16_t)n);
		buf_bytes(&plain, x->path, n);
	}
	if (buf_ok(&plain, e) < 0 ||
	    st_coder_pack(coder, ST_CODEC_ZSTD, 3, plain.at, plain.len, NULL, 0,
			  &packed, &codec, e) < 0)
		return -1;
	buf_u32le(out, (uint32_t)plain.len);
	buf_u32le(out, (uint32_t)codec);
	buf_bytes(out, packed.at, packed.len);
	return buf_ok(out, e);
}

static int
parse_items(const char *name, const struct buf *plain, struct dl_list *l,
	    struct err *e)
{
	struct cur c = cur_over(name, plain->at, plain->len);

	while (cur_ok(&c) && cur_left(&c) > 0) {
		struct dl_item x = { .changed = cur_u64le(&c) };
		struct cur path;

		x.packed = cur_u64le(&c);
		path = cur_sub(&c, cur_u16le(&c));
		if (!cur_ok(&path))
			return cur_err(&path, e);
		if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(x), e) < 0)
			return -1;
		x.path = mem_strn(cur_rest(&path), cur_left(&path), e);
		if (x.path == NULL)
			return -1;
		l->at[l->count++] = x;
	}
	return cur_end(&c, e);
}

int
dl_list_parse(const char *name, const void *in, size_t len, struct dl_list *ret,
	      struct err *e)
{
	ST_CODER_SCOPED struct st_coder *coder = st_coder_new(e);
	DL_LIST_SCOPED struct dl_list l = DL_LIST_EMPTY;
	BUF_SCOPED struct buf plain = BUF_EMPTY;
	struct cur c = cur_over(name, in, len);
	uint32_t plain_len = cur_u32le(&c), codec = cur_u32le(&c);
	uint8_t *room;

	if (coder == NULL)
		return -1;
	if (plain_len > TEXT_MAX)
		cur_bad(&c, "has an endless list of files");
	if (!cur_ok(&c))
		return cur_err(&c, e);
	room = buf_room(&plain, plain_len);
	if (room == NULL)
		return buf_ok(&plain, e);
	if (st_coder_unpack(coder, codec, cur_rest(&c), cur_left(&c), NULL, 0,
			    room, plain_len, e) < 0 ||
	    parse_items(name, &plain, &l, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}
