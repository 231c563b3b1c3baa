/* seed.c - see seed.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/seed.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/stop.h"
#include "crypt/hash.h"
#include "delta/files.h"
#include "delta/pull-private.h"
#include "disk/disk.h"
#include "disk/parts.h"
#include "store/image.h"
#include "store/map.h"
#include "volume/layout.h"

void
dl_seeds_done(struct dl_seeds *s)
{
	for (size_t i = 0; s->cuts != NULL && i < s->count; i++)
		st_cuts_done(&s->cuts[i]);
	free(s->cuts);
	free(s->chunk);
	*s = (struct dl_seeds)DL_SEEDS_EMPTY;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct st_id));
}

/* The entry of a missing chunk. */
static struct dl_seeded *
entry(const struct dl_seeds *s, const struct st_id *id)
{
	return s->chunks == 0 ? NULL :
		bsearch(id, s->chunk, s->chunks, sizeof(*s->chunk), by_id);
}

const struct dl_seeded *
dl_seeds_find(const struct dl_seeds *s, const struct st_id *id)
{
	const struct dl_seeded *x = entry(s, id);

	return x != NULL && x->found ? x : NULL;
}

/* ---- cutting a seed ------------------------------------------------------ */

/* As import cuts: what lies behind the end of a file is no part of it. */
static int
cut_stream(struct st_cuts *c, const struct vo_layout *l,
	   const struct vo_placed *p, uint64_t object, struct err *e)
{
	uint64_t end = p->flags != 0 || p->size == 0 ? UINT64_MAX :
						       num_min(p->size, p->valid);

	for (size_t i = 0; i < p->runs; i++) {
		const struct vo_run *r = &l->run[p->run + i];
		uint64_t n = r->off >= end ? 0 : num_min(r->len, end - r->off);

		n = (n + ST_SECTOR - 1) / ST_SECTOR * ST_SECTOR;
		if (n > 0 && st_cuts_add(c, r->at / ST_SECTOR, n / ST_SECTOR,
					 object, r->off / ST_SECTOR, e) < 0)
			return -1;
		if (n < r->len &&
		    st_cuts_add(c, (r->at + n) / ST_SECTOR,
				(r->len - n) / ST_SECTOR, ST_OBJECT_ZEROS, 0,
				e) < 0)
			return -1;
	}
	return 0;
}

static int
cut(struct dk *d, struct st_cuts *ret, struct err *e)
{
	DL_FILES_SCOPED struct dl_files files = DL_FILES_EMPTY;
	DK_PARTS_SCOPED struct dk_parts parts = DK_PARTS_EMPTY;
	uint64_t object = ST_OBJECT_FIRST;
	struct err none = ERR_INIT;

	if (dl_files_read(d, &files, e) < 0)
		return -1;
	if (dk_parts_read(d, &parts, &none) < 0)
		parts.count = 0;	/* one grid, then */
	for (size_t v = 0; v < files.count; v++) {
		const struct vo_layout *l = &files.at[v].l;

		for (size_t i = 0; i < l->count; i++)
			if (l->placed[i].record >= VO_RECORD_FIRST_USER &&
			    l->placed[i].type == VO_ATTR_DATA &&
			    cut_stream(ret, l, &l->placed[i], object++, e) < 0)
				return -1;
	}

	SCOPED_FREE uint64_t *origin = mem_array(parts.count, sizeof(*origin),
						 e);
	if (origin == NULL)
		return -1;
	for (size_t i = 0; i < parts.count; i++) {
		size_t k = i;

		for (; k > 0 && origin[k - 1] > parts.at[i].start / ST_SECTOR;
		     k--)
			origin[k] = origin[k - 1];
		origin[k] = parts.at[i].start / ST_SECTOR;
	}
	return st_cuts_settle(ret, (d->size + ST_SECTOR - 1) / ST_SECTOR,
			      origin, parts.count, e);
}

/* ---- looking ------------------------------------------------------------- */

static int
read_chunk(struct dk *d, const struct st_cuts *c, uint64_t object, uint64_t k,
	   struct buf *out, struct err *e)
{
	struct st_piece piece[ST_CHUNK_SECTORS];
	size_t n = st_cuts_pieces(c, object, k, piece);

	out->len = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = piece[i].at * ST_SECTOR;
		size_t len = (size_t)piece[i].len * ST_SECTOR;
		uint8_t *room = buf_room(out, len);

		if (room == NULL)
			return buf_ok(out, e);
		/* A disk may end within its last sector; zeros follow there. */
		if (!num_in_range(at, len, d->size)) {
			memset(room, 0, len);
			len = at < d->size ? (size_t)(d->size - at) : 0;
		}
		if (len > 0 && dk_read(d, room, len, at, e) < 0)
			return -1;
	}
	return 0;
}

int
dl_seeds_read(const struct dl_seeds *s, const struct dl_seeded *at,
	      struct buf *out, struct err *e)
{
	return read_chunk(s->disk[at->seed], &s->cuts[at->seed], at->object,
			  at->k, out, e);
}

static int
look_into(struct dl_seeds *s, uint32_t seed, const struct st_line *line,
	  struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const struct st_cuts *c = &s->cuts[seed];
	uint64_t object = UINT64_MAX, last = 0;

	for (size_t i = 0; i < c->runs; i++) {
		const struct st_run *r = &c->run[c->order[i]];

		if (r->object < ST_OBJECT_FIRST || r->len == 0)
			continue;
		for (uint64_t k = r->off / ST_CHUNK_SECTORS;
		     k <= (r->off + r->len - 1) / ST_CHUNK_SECTORS; k++) {
			struct st_id id;
			struct dl_seeded *x;

			if (r->object == object && k == last)
				continue;
			object = r->object;
			last = k;
			if (stop_check(e) < 0 ||
			    read_chunk(s->disk[seed], c, object, k, &b, e) < 0)
				return -1;
			cx_hash_keyed(id.at, line->id_key.at, b.at, b.len);
			x = entry(s, &id);
			if (x != NULL && !x->found)
				*x = (struct dl_seeded){
					.id = id, .found = true, .seed = seed,
					.object = object, .k = k };
		}
	}
	return 0;
}

struct wanting {
	struct dl_seeds *s;
	struct st_repo *repo;
};

static int
want_segment(void *arg, const struct st_map *m, struct err *e)
{
	struct wanting *w = arg;
	struct dl_seeds *s = w->s;

	for (size_t i = 0; i < m->chunks; i++) {
		int here = st_repo_has(w->repo, &m->chunk[i].id, e);

		if (here < 0)
			return -1;
		if (here == 1)
			continue;
		if (mem_grow(&s->chunk, &s->cap, s->chunks + 1,
			     sizeof(*s->chunk), e) < 0)
			return -1;
		s->chunk[s->chunks++] = (struct dl_seeded){
			.id = m->chunk[i].id };
	}
	return 0;
}

/* Each missing chunk once, by id. */
static void
sort_wanted(struct dl_seeds *s)
{
	size_t kept = 0;

	mem_sort(s->chunk, s->chunks, sizeof(*s->chunk), by_id);
	for (size_t i = 0; i < s->chunks; i++)
		if (kept == 0 ||
		    !st_id_equal(&s->chunk[kept - 1].id, &s->chunk[i].id))
			s->chunk[kept++] = s->chunk[i];
	s->chunks = kept;
}

int
dl_seeds_look(struct dl_seeds *s, struct fetching *f, struct err *e)
{
	const struct dl_pull *p = f->all->p;
	struct wanting w = { .s = s, .repo = p->repo };

	if (dl_pull_segments(f, want_segment, &w, e) < 0)
		return -1;
	sort_wanted(s);
	s->cuts = mem_array(p->seeds, sizeof(*s->cuts), e);
	if (s->cuts == NULL)
		return -1;
	s->disk = p->seed;
	for (size_t i = 0; i < p->seeds; i++) {
		s->cuts[i] = (struct st_cuts)ST_CUTS_EMPTY;
		s->count = i + 1;
		if (cut(p->seed[i], &s->cuts[i], e) < 0 ||
		    look_into(s, (uint32_t)i, &f->line, e) < 0)
			return -1;
	}
	return 0;
}
