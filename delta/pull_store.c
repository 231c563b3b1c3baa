/* pull_store.c - what was fetched becomes a version of the repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Everything is authenticated here, with the keys that the map carries, before
 * it is stored; what cannot be is not what the origin made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "crypt/hash.h"
#include "crypt/secret.h"
#include "delta/pull-private.h"
#include "delta/remote.h"
#include "delta/seed.h"
#include "store/codec.h"
#include "store/image.h"
#include "store/map.h"
#include "store/writer.h"

/* Reading records that came, or were here. */
struct reading {
	struct fetching *f;
	struct st_writer *writer;	/* NULL: only to look */
	const struct dl_seeds *seeds;
	struct st_coder *coder;
	struct buf rec, scratch, plain;
};

static void
reading_done(struct reading *r)
{
	buf_done(&r->rec);
	buf_done(&r->scratch);
	buf_done(&r->plain);
	st_coder_free(&r->coder);
	st_writer_free(&r->writer);
}

/* A record's bytes into r->rec: 1 it has come, 2 it was here, 0 neither. */
static int
find_record(struct reading *r, const struct st_id *id, struct err *e)
{
	struct pulling *all = r->f->all;
	struct st_place p;
	int found = st_repo_record(all->p->repo, id, &r->rec, e);

	if (found != 0)
		return found < 0 ? -1 : 2;
	found = st_index_find(&r->f->index, id, &p, e);
	if (found <= 0)
		return found;
	return dl_parts_read(&all->parts, &p.pack.id, p.entry.at, p.entry.len,
			     &r->rec, e);
}

static int
missing(const struct reading *r, const struct st_id *id, struct err *e)
{
	char hex[ST_ID_HEX];

	return err_set(e, ERR_CORRUPT, "%s:%" PRIu64 ": the mirror lacks record "
		       "%.16s", r->f->offer->name, r->f->version->number,
		       st_id_hex(id, hex));
}

/* Open the record in r->rec into r->plain, and keep it if it came. */
static int
take_record(struct reading *r, enum st_kind kind, const struct st_id *id,
	    const uint8_t *key, size_t max, bool came, struct err *e)
{
	const char *what = r->f->offer->name;
	bool is_new;

	if (st_record_open(r->coder, kind, id, key, r->rec.at, r->rec.len, what,
			   max, &r->scratch, &r->plain, e) < 0)
		return -1;
	if (!came || r->writer == NULL)
		return 0;
	return st_writer_record(r->writer, r->rec.at, r->rec.len, &is_new, e);
}

static int
open_map(struct reading *r, enum st_kind kind, const struct st_id *id,
	 struct err *e)
{
	int found = find_record(r, id, e);

	if (found <= 0)
		return found < 0 ? -1 : missing(r, id, e);
	return take_record(r, kind, id, st_line_map_key(&r->f->line), ST_MAP_MAX,
			   found == 1, e);
}

static int
each_segment(struct reading *r, dl_segment_fn fn, void *arg, struct err *e)
{
	ST_ROOT_SCOPED struct st_root root = ST_ROOT_EMPTY;

	if (open_map(r, ST_KIND_ROOT, &r->f->parsed.root, e) < 0 ||
	    st_root_parse(r->plain.at, r->plain.len, &root, e) < 0)
		return -1;
	for (size_t i = 0; i < root.segments; i++) {
		ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;
		int ok;

		if (stop_check(e) < 0 ||
		    open_map(r, ST_KIND_SEGMENT, &root.segment[i].id, e) < 0)
			return -1;
		ok = st_map_parse(r->plain.at, r->plain.len, &m, e);
		cx_wipe(r->plain.at, r->plain.len);	/* keys of chunks */
		if (ok < 0 || fn(arg, &m, e) < 0)
			return -1;
	}
	return 0;
}

int
dl_pull_segments(struct fetching *f, dl_segment_fn fn, void *arg, struct err *e)
{
	SCOPED(reading_done) struct reading r = { .f = f };

	r.coder = st_coder_new(e);
	return r.coder == NULL ? -1 : each_segment(&r, fn, arg, e);
}

/* ---- chunks -------------------------------------------------------------- */

static int
store_chunk(struct reading *r, const struct st_chunk *c, struct err *e)
{
	struct st_repo *repo = r->f->all->p->repo;
	const struct dl_seeded *at;
	uint8_t name[CX_HASH_BYTES];
	bool is_new;
	int found = st_repo_has(repo, &c->id, e);

	if (found != 0)
		return found < 0 ? -1 : 0;
	at = dl_seeds_find(r->seeds, &c->id);
	if (at != NULL) {
		if (dl_seeds_read(r->seeds, at, &r->plain, e) < 0)
			return -1;
		return st_writer_chunk_as(r->writer, r->coder, &r->f->line,
					  r->plain.at, c, &is_new, e);
	}
	found = find_record(r, &c->id, e);
	if (found <= 0)
		return found < 0 ? -1 : missing(r, &c->id, e);
	if (take_record(r, ST_KIND_CHUNK, &c->id, c->key, ST_CHUNK_MAX, true,
			e) < 0)
		return -1;
	cx_hash_keyed(name, r->f->line.id_key.at, r->plain.at, r->plain.len);
	if (r->plain.len != c->len || !cx_same(name, c->id.at, sizeof(name)))
		return err_set(e, ERR_AUTH, "%s: a chunk is another than its "
			       "name says", r->f->offer->name);
	progress_add(&r->f->all->progress, c->len);
	progress_show(&r->f->all->progress);
	return 0;
}

static int
store_segment(void *arg, const struct st_map *m, struct err *e)
{
	struct reading *r = arg;

	for (size_t i = 0; i < m->chunks; i++)
		if (store_chunk(r, &m->chunk[i], e) < 0 || stop_check(e) < 0)
			return -1;
	return 0;
}

int
dl_pull_store(struct fetching *f, const struct dl_seeds *s, struct st_ref *ret,
	      struct err *e)
{
	SCOPED(reading_done) struct reading r = { .f = f, .seeds = s };

	progress_begin(&f->all->progress, f->offer->name, true, 0);
	r.coder = st_coder_new(e);
	if (r.coder == NULL)
		return -1;
	r.writer = st_writer_open(f->all->p->repo, e);
	if (r.writer == NULL ||
	    each_segment(&r, store_segment, &r, e) < 0)
		return -1;
	return st_writer_commit_manifest(r.writer, &f->line, f->manifest.at,
					 f->manifest.len, ret, e);
}
