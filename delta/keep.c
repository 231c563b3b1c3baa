/* keep.c - a delta's new version into a repository; see stored.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records that came along are stored as they are.  All other new chunks are
 * read from the new disk, which is made of the old version and the delta as it
 * is read; each must have the name that the map gives it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/stop.h"
#include "delta/stored.h"
#include "delta/view.h"
#include "disk/disk.h"
#include "source/source.h"
#include "store/codec.h"
#include "store/image.h"
#include "store/line.h"
#include "store/map.h"
#include "store/pack.h"
#include "store/repo.h"
#include "store/version.h"
#include "store/writer.h"

struct keep {
	const struct dl_file *f;
	struct st_repo *repo;
	struct progress *p;
	struct st_line line;
	struct st_version version;	/* the new one */
	struct dk *old, *new;
	struct st_writer *writer;
	struct st_coder *coder;
	struct st_root root;		/* of the new version's map */
	bool have_root;
	struct buf frame, plain, scratch, chunk;
};

static void
keep_done(struct keep *k)
{
	st_writer_free(&k->writer);
	st_coder_free(&k->coder);
	dk_free(&k->new);
	dk_free(&k->old);
	st_root_done(&k->root);
	st_version_done(&k->version);
	st_line_done(&k->line);
	buf_done(&k->frame);
	buf_done(&k->plain);
	buf_done(&k->scratch);
	buf_done(&k->chunk);
}

int
dl_stored_find(struct st_repo *r, const uint8_t id[ST_ID_BYTES],
	       struct st_ref *ret, struct err *e)
{
	ST_REFS_SCOPED struct st_refs all = ST_REFS_EMPTY;

	if (st_ref_all(r, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++)
		if (memcmp(all.at[i].version.at, id, ST_ID_BYTES) == 0) {
			*ret = all.at[i];
			return 1;
		}
	return 0;
}

/* The old version as a disk. */
static int
open_old(struct keep *k, struct err *e)
{
	static const uint8_t nothing[ST_ID_BYTES];
	const struct dl_delta *d = &k->f->d;
	struct st_ref ref;
	int found;

	if (memcmp(d->stored.old_id, nothing, sizeof(nothing)) == 0) {
		k->old = dk_over_bytes("/dev/null", "", 0, e);
		return k->old == NULL ? -1 : 0;
	}
	found = dl_stored_find(k->repo, d->stored.old_id, &ref, e);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_UNSAFE, "%s: does not hold %s, which %s "
			       "is for", st_repo_path(k->repo), d->old_name,
			       k->f->name);

	SCOPED_FREE char *name = mem_fmt(e, "%s:%" PRIu64, ref.name, ref.number);

	if (name == NULL)
		return -1;
	k->old = src_version(k->repo, name, e);
	if (k->old == NULL)
		return -1;
	if (k->old->size != d->old_size)
		return err_set(e, ERR_CORRUPT, "%s: is for a disk of another "
			       "size than %s has", k->f->name, name);
	return 0;
}

/* Chunk number c of a segment, from where the disk has it; 1 whole, 0 some of it
 * is not there. */
static int
read_chunk(struct keep *k, const struct st_map *m, uint64_t segment_at,
	   const size_t *of, size_t count, uint32_t len, struct err *e)
{
	uint64_t have = 0;
	uint8_t *room;

	k->chunk.len = 0;
	room = buf_room(&k->chunk, len);
	if (room == NULL)
		return buf_ok(&k->chunk, e);
	memset(room, 0, len);
	for (size_t i = 0; i < count; i++) {
		const struct st_extent *x = &m->extent[of[i]];
		uint64_t at = segment_at + (uint64_t)x->at * ST_SECTOR;
		uint64_t n = (uint64_t)x->len * ST_SECTOR;

		have += n;
		/* A disk may end within its last sector; zeros follow there. */
		n = at >= k->new->size ? 0 : num_min(n, k->new->size - at);
		if (n > 0 && dk_read(k->new, room + (size_t)x->off * ST_SECTOR,
				     (size_t)n, at, e) < 0)
			return -1;
	}
	return have >= len;
}

static int
keep_chunk(struct keep *k, const struct st_map *m, uint64_t segment_at,
	   size_t c, const size_t *of, size_t count, struct err *e)
{
	const struct st_chunk *chunk = &m->chunk[c];
	int r = st_repo_has(k->repo, &chunk->id, e);
	bool is_new;

	if (r != 0)
		return r < 0 ? -1 : 0;
	r = read_chunk(k, m, segment_at, of, count, chunk->len, e);
	if (r <= 0)
		return r;	/* torn: its record came along, or commit says so */
	if (st_writer_chunk_as(k->writer, k->coder, &k->line, k->chunk.at, chunk,
			       &is_new, e) < 0)
		return err_ctx(e, "%s", k->f->name);
	progress_add(k->p, chunk->len);
	progress_show(k->p);
	return 0;
}

/* All chunks of a segment that begins at that byte of the disk. */
static int
keep_chunks(struct keep *k, const struct st_map *m, uint64_t segment_at,
	    struct err *e)
{
	/* of[first[c] .. first[c + 1]) are the extents of chunk c. */
	SCOPED_FREE size_t *first = mem_array(m->chunks + 2, sizeof(*first), e);
	SCOPED_FREE size_t *of = mem_array(m->extents, sizeof(*of), e);

	if (first == NULL || of == NULL)
		return -1;
	for (size_t i = 0; i < m->extents; i++)
		first[m->extent[i].chunk + 2]++;
	for (size_t c = 0; c < m->chunks; c++)
		first[c + 2] += first[c + 1];
	for (size_t i = 0; i < m->extents; i++)
		of[first[m->extent[i].chunk + 1]++] = i;
	for (size_t c = 0; c < m->chunks; c++)
		if (stop_check(e) < 0 ||
		    keep_chunk(k, m, segment_at, c, of + first[c],
			       first[c + 1] - first[c], e) < 0)
			return -1;
	return 0;
}

static int
keep_segment(struct keep *k, const struct st_id *id, struct err *e)
{
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;
	int r = st_map_parse(k->plain.at, k->plain.len, &m, e);

	cx_wipe(k->plain.at, k->plain.len);	/* keys of chunks */
	if (r < 0)
		return -1;
	for (size_t i = 0; i < k->root.segments; i++) {
		const struct st_root_segment *s = &k->root.segment[i];

		/* Segments with one name are alike: one of them does. */
		if (st_id_equal(&s->id, id))
			return keep_chunks(k, &m, (uint64_t)s->number *
						  ST_SEGMENT_BYTES, e);
	}
	return 0;
}

/* One record that came along.  The root comes first, so the place of every
 * segment is known. */
static int
keep_record(struct keep *k, const uint8_t *rec, size_t len, struct err *e)
{
	struct cur c = cur_over(k->f->name, rec, len);
	struct st_record h = st_record_header(&c);
	bool is_new;

	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (st_writer_record(k->writer, rec, len, &is_new, e) < 0)
		return -1;
	if (h.kind == ST_KIND_CHUNK)
		return 0;
	if (st_record_open(k->coder, h.kind, &h.id, st_line_map_key(&k->line),
			   rec, len, k->f->name, ST_MAP_MAX, &k->scratch,
			   &k->plain, e) < 0)
		return -1;
	if (h.kind == ST_KIND_SEGMENT)
		return keep_segment(k, &h.id, e);
	if (k->have_root)
		return err_set(e, ERR_CORRUPT, "%s: holds two maps",
			       k->f->name);
	k->have_root = true;
	return st_root_parse(k->plain.at, k->plain.len, &k->root, e);
}

static int
keep_frame(struct keep *k, uint32_t number, struct err *e)
{
	struct cur c;

	if (st_container_frame(k->f->c, number, &k->frame, e) < 0)
		return -1;
	c = cur_over(k->f->name, k->frame.at, k->frame.len);
	while (cur_left(&c) > 0) {
		struct cur rec = cur_sub(&c, cur_u32le(&c));

		if (!cur_ok(&rec))
			return cur_err(&rec, e);
		if (keep_record(k, cur_rest(&rec), cur_left(&rec), e) < 0)
			return -1;
	}
	return cur_end(&c, e);
}

/* Everything before the first write. */
static int
prepare(struct keep *k, struct err *e)
{
	const struct dl_stored *s = &k->f->d.stored;

	if (open_old(k, e) < 0 ||
	    st_repo_adopt_domain(k->repo, s->domain, e) < 0 ||
	    st_line_adopt(k->repo, s->line, s->image_key, s->id_key, &k->line,
			  e) < 0 ||
	    st_version_parse(k->f->name, s->manifest, s->manifest_len, &k->line,
			     &k->version, e) < 0)
		return -1;
	k->new = dl_view(k->f, k->old, e);
	if (k->new == NULL)
		return -1;
	k->coder = st_coder_new(e);
	if (k->coder == NULL)
		return -1;
	k->writer = st_writer_open(k->repo, e);
	return k->writer == NULL ? -1 : 0;
}

int
dl_stored_apply(const struct dl_file *f, struct st_repo *r, struct progress *p,
		struct st_ref *ret, bool *ret_new, struct err *e)
{
	SCOPED(keep_done) struct keep k = {
		.f = f, .repo = r, .p = p, .line = ST_LINE_EMPTY,
		.version = ST_VERSION_EMPTY, .root = ST_ROOT_EMPTY,
	};
	const struct dl_stored *s = &f->d.stored;
	uint8_t id[CX_HASH_BYTES];
	int there;

	if (!s->there)
		return err_set(e, ERR_USAGE, "%s: was made from disks; apply it "
			       "with --base DISK -o OUT", f->name);
	cx_hash(id, s->manifest, s->manifest_len);
	there = dl_stored_find(r, id, ret, e);
	if (there != 0) {
		*ret_new = false;
		return there < 0 ? -1 : 0;
	}
	if (prepare(&k, e) < 0)
		return -1;
	for (uint32_t i = 0; i < s->frames; i++)
		if (keep_frame(&k, s->frame + i, e) < 0)
			return -1;
	*ret_new = true;
	return st_writer_commit_manifest(k.writer, &k.line, s->manifest,
					 s->manifest_len, ret, e);
}
