/* stored.c - what a delta between versions carries; see stored.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/stored.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/container.h"
#include "store/image.h"
#include "store/line.h"
#include "store/map.h"
#include "store/repo.h"
#include "store/version.h"

enum { FRAME = 4 << 20 };	/* a frame is closed when it holds as much */

/* The names of chunks that the old version has, sorted. */
struct names {
	struct st_id *at;
	size_t count, cap;
};

struct add {
	struct st_repo *repo;
	struct st_image *old;		/* NULL: nothing */
	struct st_image *new;
	struct st_container_new *out;
	struct dl_stored *s;
	struct names known;
	struct buf rec, frame;
};

static void
add_done(struct add *a)
{
	buf_done(&a->rec);
	buf_done(&a->frame);
	free(a->known.at);
	st_image_free(&a->new);
	st_image_free(&a->old);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct st_id));
}

static int
end_frame(struct add *a, struct err *e)
{
	uint32_t number;

	if (a->frame.len == 0)
		return 0;
	if (st_container_put(a->out, a->frame.at, a->frame.len, &number, e) < 0)
		return -1;
	if (a->s->frames == 0)
		a->s->frame = number;
	a->s->frames++;
	a->frame.len = 0;
	return 0;
}

/* Copy a record of the repository into the delta. */
static int
add_record(struct add *a, const struct st_id *id, struct err *e)
{
	char hex[ST_ID_HEX];
	int found = st_repo_record(a->repo, id, &a->rec, e);

	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_CORRUPT, "%s: record %.16s is missing",
			       st_repo_path(a->repo), st_id_hex(id, hex));
	buf_u32le(&a->frame, (uint32_t)a->rec.len);
	buf_bytes(&a->frame, a->rec.at, a->rec.len);
	if (buf_ok(&a->frame, e) < 0)
		return -1;
	return a->frame.len >= FRAME ? end_frame(a, e) : 0;
}

static int
learn_segment(struct add *a, uint32_t number, struct err *e)
{
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;
	struct names *n = &a->known;

	if (st_image_segment(a->old, number, &m, e) < 0 ||
	    mem_grow(&n->at, &n->cap, n->count + m.chunks, sizeof(*n->at),
		     e) < 0)
		return -1;
	for (size_t i = 0; i < m.chunks; i++)
		n->at[n->count++] = m.chunk[i].id;
	return 0;
}

static int
learn_old(struct add *a, struct err *e)
{
	const struct st_root *root;

	if (a->old == NULL)
		return 0;
	root = st_image_root(a->old);
	for (size_t i = 0; i < root->segments; i++)
		if (learn_segment(a, root->segment[i].number, e) < 0)
			return -1;
	mem_sort(a->known.at, a->known.count, sizeof(*a->known.at),
		      by_id);
	return 0;
}

/*
 * The reader makes a new chunk of the sectors that the segment lists for it.
 * Where those are not the whole chunk, its record goes along.
 */
static int
add_torn_chunks(struct add *a, const struct st_map *m, struct err *e)
{
	SCOPED_FREE uint64_t *listed = mem_array(m->chunks, sizeof(*listed), e);

	if (listed == NULL)
		return -1;
	for (size_t i = 0; i < m->extents; i++)
		listed[m->extent[i].chunk] += m->extent[i].len;
	for (size_t i = 0; i < m->chunks; i++) {
		const struct st_chunk *c = &m->chunk[i];

		if (listed[i] * ST_SECTOR >= c->len ||
		    (a->known.count > 0 &&
		     bsearch(&c->id, a->known.at, a->known.count,
			     sizeof(*a->known.at), by_id) != NULL))
			continue;
		if (add_record(a, &c->id, e) < 0)
			return -1;
	}
	return 0;
}

static bool
old_has_segment(const struct add *a, const struct st_root_segment *s)
{
	const struct st_root_segment *was;

	if (a->old == NULL)
		return false;
	was = st_root_find(st_image_root(a->old), s->number);
	return was != NULL && st_id_equal(&was->id, &s->id);
}

/* The root, the segments that the old version does not have, torn chunks. */
static int
add_records(struct add *a, struct err *e)
{
	const struct st_root *root = st_image_root(a->new);

	if (add_record(a, &st_image_version(a->new)->root, e) < 0)
		return -1;
	for (size_t i = 0; i < root->segments; i++) {
		const struct st_root_segment *s = &root->segment[i];
		ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;

		if (old_has_segment(a, s))
			continue;
		if (add_record(a, &s->id, e) < 0 ||
		    st_image_segment(a->new, s->number, &m, e) < 0 ||
		    add_torn_chunks(a, &m, e) < 0)
			return -1;
	}
	return end_frame(a, e);
}

static int
fill(struct add *a, struct err *e)
{
	const struct st_version *v = st_image_version(a->new);
	const struct st_line *line = st_image_line(a->new);
	struct dl_stored *s = a->s;

	s->there = true;
	memcpy(s->domain, v->domain, sizeof(s->domain));
	memcpy(s->line, v->line, sizeof(s->line));
	if (a->old != NULL)
		memcpy(s->old_id, st_image_id(a->old)->at, sizeof(s->old_id));
	memcpy(s->image_key, line->image_key.at, sizeof(s->image_key));
	memcpy(s->id_key, line->id_key.at, sizeof(s->id_key));
	return st_version_bytes(a->repo, st_image_id(a->new), &s->manifest,
				&s->manifest_len, e);
}

int
dl_stored_add(struct st_repo *r, const char *old, const char *new,
	      struct dl_delta *d, struct st_container_new *out, struct err *e)
{
	SCOPED(add_done) struct add a = { .repo = r, .out = out,
					  .s = &d->stored };

	a.new = st_image_open(r, new, ST_IMAGE_CACHE, false, e);
	if (a.new == NULL)
		return -1;
	if (old != NULL) {
		a.old = st_image_open(r, old, ST_IMAGE_CACHE, false, e);
		if (a.old == NULL)
			return -1;
	}
	if (fill(&a, e) < 0 || learn_old(&a, e) < 0)
		return -1;
	return add_records(&a, e);
}

/* ---- what is shared ---- */

int
dl_stored_same(struct st_repo *r, const char *old, const char *new,
	       uint8_t **ret, struct err *e)
{
	ST_IMAGE_SCOPED struct st_image *a =
		st_image_open(r, old, ST_IMAGE_CACHE, false, e);
	ST_IMAGE_SCOPED struct st_image *b =
		a == NULL ? NULL :
			    st_image_open(r, new, ST_IMAGE_CACHE, false, e);
	const uint64_t blocks = ST_SEGMENT_BYTES / DL_BLOCK;
	const struct st_root *root;

	*ret = NULL;
	if (b == NULL)
		return -1;
	root = st_image_root(b);
	if (root->size != st_image_root(a)->size)
		return 0;
	*ret = mem_array((size_t)(root->size / DL_BLOCK / 8 + blocks), 1, e);
	if (*ret == NULL)
		return -1;
	for (size_t i = 0; i < root->segments; i++) {
		const struct st_root_segment *s = &root->segment[i];
		const struct st_root_segment *was =
			st_root_find(st_image_root(a), s->number);

		if (was == NULL || !st_id_equal(&was->id, &s->id))
			continue;
		memset(*ret + s->number * blocks / 8, 0xff,
		       (size_t)(blocks / 8));
	}
	return 0;
}
