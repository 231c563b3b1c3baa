/* import.c - see import.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The disk is walked segment by segment.  At the first sector of a chunk all of
 * it is read, wherever its pieces are, and each piece is noted with the segment
 * it lies in; so when a segment has been walked, and the chunks it needs are
 * stored, its map can be written.  That is done one segment behind the reading,
 * so the workers do not wait.
 */
#include "store/import.h"

#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/map.h"

enum {
	BATCH = 16,		/* chunks in a job */
	LAG = 2,		/* segments read ahead of the map */
	QUEUE = 8,		/* jobs: 1 MiB each */
};

/* A chunk between reading and map. */
struct item {
	struct st_chunk chunk;
	unsigned users;		/* pieces whose map is not written, and the job */
	bool is_done, is_zero;
	uint32_t map_number;	/* in the map being made ... */
	uint32_t map_segment;	/* ... of this segment + 1 */
};

/* A piece of the disk, noted with its segment. */
struct note {
	struct st_extent at;	/* .chunk is not used */
	struct item *item;
};

struct notes {
	struct note *at;
	size_t count, cap;
};

struct import {
	struct st_writer *w;
	const struct st_line *line;
	const struct st_input *in;
	const struct st_cuts *cuts;
	struct progress *progress;
	struct pool *pool;
	struct job *job;		/* being filled; or NULL */
	struct notes *notes;		/* of each segment */
	uint32_t segments;
	struct st_root root;
	struct st_coder *coder;		/* of the map */

	pthread_mutex_t lock;		/* of everything below */
	pthread_cond_t done;
	bool failed;
	uint64_t data;
	struct st_coder *idle[64];
	size_t idles;
};

struct job {
	struct import *im;
	struct item *item[BATCH];
	size_t count, len;
	uint8_t data[BATCH * ST_CHUNK_MAX];
};

/* ---- workers ------------------------------------------------------------- */

static void
item_put(struct item *x)
{
	if (--x->users > 0)
		return;
	explicit_bzero(x->chunk.key, sizeof(x->chunk.key));
	free(x);
}

static void
job_free(struct job *j)
{
	(void)pthread_mutex_lock(&j->im->lock);
	for (size_t i = 0; i < j->count; i++)
		item_put(j->item[i]);
	(void)pthread_mutex_unlock(&j->im->lock);
	free(j);
}

static void
job_drop(void *job)
{
	struct job *j = job;

	(void)pthread_mutex_lock(&j->im->lock);
	j->im->failed = true;
	(void)pthread_cond_broadcast(&j->im->done);
	(void)pthread_mutex_unlock(&j->im->lock);
	job_free(j);
}

static bool
all_zeros(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

static int
store_items(struct job *j, struct st_coder *coder, uint64_t *ret_data,
	    struct err *e)
{
	const uint8_t *p = j->data;

	for (size_t i = 0; i < j->count; i++) {
		struct item *x = j->item[i];
		size_t len = x->chunk.len;
		bool is_new;

		x->is_zero = all_zeros(p, len);
		if (!x->is_zero) {
			if (st_writer_chunk(j->im->w, coder, p, len, &x->chunk,
					    &is_new, e) < 0)
				return -1;
			*ret_data += len;
		}
		p += len;
	}
	return 0;
}

static struct st_coder *
take_coder(struct import *im, struct err *e)
{
	struct st_coder *c = NULL;

	(void)pthread_mutex_lock(&im->lock);
	if (im->idles > 0)
		c = im->idle[--im->idles];
	(void)pthread_mutex_unlock(&im->lock);
	return c != NULL ? c : st_coder_new(e);
}

static int
job_run(void *job, struct err *e)
{
	struct job *j = job;
	struct import *im = j->im;
	struct st_coder *coder = take_coder(im, e);
	uint64_t data = 0;
	int r = coder == NULL ? -1 : store_items(j, coder, &data, e);

	(void)pthread_mutex_lock(&im->lock);
	im->data += data;
	im->failed |= r < 0;
	for (size_t i = 0; i < j->count; i++)
		j->item[i]->is_done = r == 0;
	if (coder != NULL && im->idles < sizeof(im->idle) / sizeof(*im->idle)) {
		im->idle[im->idles++] = coder;
		coder = NULL;
	}
	(void)pthread_cond_broadcast(&im->done);
	(void)pthread_mutex_unlock(&im->lock);
	st_coder_free(&coder);
	job_free(j);
	return r;
}

/* ---- reading ------------------------------------------------------------- */

static int
send_job(struct import *im, struct err *e)
{
	struct job *j = im->job;

	im->job = NULL;
	return j == NULL ? 0 : pool_put(im->pool, j, e);
}

/* Read sectors; behind the disk's end, which need not be a sector's, are
 * zeros. */
static int
read_sectors(const struct import *im, uint8_t *p, uint64_t at, size_t sectors,
	     struct err *e)
{
	uint64_t from = at * ST_SECTOR;
	size_t len = sectors * ST_SECTOR;
	size_t there = (size_t)num_min(len, im->in->size - from);

	if (im->in->read(im->in->arg, p, there, from, e) < 0)
		return -1;
	memset(p + there, 0, len - there);
	return 0;
}

/* Read the pieces of a chunk; neighbours in one go. */
static int
read_pieces(const struct import *im, const struct st_piece *piece, size_t n,
	    bool ones, uint8_t *p, struct err *e)
{
	for (size_t i = 0; i < n;) {
		uint64_t at = piece[i].at;
		size_t len = 0;

		for (; i < n && piece[i].at == at + len; i++)
			len += piece[i].len;
		if (ones)
			memset(p, 0xff, len * ST_SECTOR);
		else if (read_sectors(im, p, at, len, e) < 0)
			return -1;
		p += len * ST_SECTOR;
	}
	return 0;
}

static int
note(struct import *im, struct item *x, uint64_t at, uint32_t len, uint32_t off,
     struct err *e)
{
	struct notes *n = &im->notes[at / ST_SEGMENT_SECTORS];

	if (mem_grow(&n->at, &n->cap, n->count + 1, sizeof(*n->at), e) < 0)
		return -1;
	n->at[n->count++] = (struct note){
		.at = { .at = (uint32_t)(at % ST_SEGMENT_SECTORS), .len = len,
			.off = off },
		.item = x };
	(void)pthread_mutex_lock(&im->lock);
	x->users++;
	(void)pthread_mutex_unlock(&im->lock);
	return 0;
}

/* Note the pieces with their segments; a piece is split where one ends. */
static int
note_pieces(struct import *im, struct item *x, const struct st_piece *piece,
	    size_t n, struct err *e)
{
	uint32_t off = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = piece[i].at;

		for (uint32_t left = piece[i].len; left > 0;) {
			uint64_t room = ST_SEGMENT_SECTORS -
					at % ST_SEGMENT_SECTORS;
			uint32_t len = (uint32_t)num_min(left, room);

			if (note(im, x, at, len, off, e) < 0)
				return -1;
			at += len;
			off += len;
			left -= len;
		}
	}
	return 0;
}

static int
begin_job(struct import *im, struct err *e)
{
	if (im->job != NULL)
		return 0;
	im->job = mem_array(1, sizeof(*im->job), e);
	if (im->job == NULL)
		return -1;
	im->job->im = im;
	return 0;
}

static int
take_chunk(struct import *im, const struct st_piece *piece, size_t n, bool ones,
	   struct err *e)
{
	uint32_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += piece[i].len * ST_SECTOR;
	if (begin_job(im, e) < 0)
		return -1;

	struct item *x = mem_array(1, sizeof(*x), e);
	if (x == NULL)
		return -1;
	struct job *j = im->job;
	x->chunk.len = len;
	x->users = 1;
	j->item[j->count++] = x;
	if (read_pieces(im, piece, n, ones, j->data + j->len, e) < 0 ||
	    note_pieces(im, x, piece, n, e) < 0)
		return -1;
	j->len += len;
	return j->count == BATCH ? send_job(im, e) : 0;
}

/* ---- walking ------------------------------------------------------------- */

/* Sectors that read as zeros, without looking. */
struct stretch {
	uint64_t from, to;
};

struct zeros {
	struct import *im;
	struct stretch *at;
	size_t count, cap;
};

static int
note_zeros(void *arg, uint64_t at, uint64_t len, bool zero, struct err *e)
{
	struct zeros *z = arg;
	uint64_t end = at + len;

	if (!zero)
		return 0;
	if (mem_grow(&z->at, &z->cap, z->count + 1, sizeof(*z->at), e) < 0)
		return -1;
	z->at[z->count++] = (struct stretch){
		.from = (at + ST_SECTOR - 1) / ST_SECTOR,
		.to = end == z->im->in->size ? z->im->cuts->sectors :
					       end / ST_SECTOR };
	return 0;
}

/* Are these sectors known to be zeros?  Asked in ascending order; *hint begins
 * as 0. */
static bool
known_zeros(const struct zeros *z, uint64_t at, uint64_t len, size_t *hint)
{
	while (*hint < z->count && z->at[*hint].to <= at)
		++*hint;
	return *hint < z->count && z->at[*hint].from <= at &&
	       num_in_range(at - z->at[*hint].from, len,
			    z->at[*hint].to - z->at[*hint].from);
}

/* The chunk of these pieces in the version that the disk is like: 1 found
 * (.len 0: zeros), 0 it has to be read. */
static int
find_unchanged(struct import *im, const struct st_piece *piece, size_t n,
	       struct st_chunk *ret, struct err *e)
{
	const struct st_input *in = im->in;
	struct st_where w = { .len = 0 };
	uint64_t off = 0;

	for (size_t i = 0; i < n; i++)
		if (in->differs(in->like_arg, piece[i].at * ST_SECTOR,
				(uint64_t)piece[i].len * ST_SECTOR))
			return 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = piece[i].at, left = piece[i].len;

		while (left > 0) {
			if (st_image_where(in->like, at, &w, e) < 0)
				return -1;
			if (off == 0)
				*ret = w.chunk;
			if (!st_id_equal(&w.chunk.id, &ret->id) ||
			    (w.chunk.len > 0 && w.off != off))
				return 0;
			uint64_t step = num_min(left, w.len);
			at += step;
			off += step;
			left -= step;
		}
	}
	return ret->len == 0 || ret->len == off * ST_SECTOR;
}

/* A chunk that is not read: it is there. */
static int
reuse_chunk(struct import *im, const struct st_chunk *c,
	    const struct st_piece *piece, size_t n, struct err *e)
{
	struct item *x = mem_array(1, sizeof(*x), e);

	if (x == NULL)
		return -1;
	x->chunk = *c;
	x->users = 1;
	x->is_done = true;
	int r = note_pieces(im, x, piece, n, e);
	(void)pthread_mutex_lock(&im->lock);
	im->data += c->len;
	item_put(x);
	(void)pthread_mutex_unlock(&im->lock);
	st_writer_reuse(im->w, c->len);
	return r;
}

/* The chunk that has sector `at`, `in` run r, if this is where it is first
 * met. */
static int
meet_chunk(struct import *im, const struct st_run *r, uint64_t at,
	   const struct zeros *zeros, size_t *hint, struct err *e)
{
	struct st_piece piece[ST_CHUNK_SECTORS];
	uint64_t k = (r->off + (at - r->at)) / ST_CHUNK_SECTORS;
	size_t n = st_cuts_pieces(im->cuts, r->object, k, piece);

	for (size_t i = 0; i < n; i++)
		if (piece[i].at < at)
			return 0;	/* taken there */
	if (n == 1 && known_zeros(zeros, piece[0].at, piece[0].len, hint))
		return 0;
	if (im->in->like != NULL && r->object != ST_OBJECT_ONES) {
		struct st_chunk same = { .len = 0 };
		int got = find_unchanged(im, piece, n, &same, e);

		if (got == 1 && same.len > 0)
			got = reuse_chunk(im, &same, piece, n, e) < 0 ? -1 : 1;
		explicit_bzero(same.key, sizeof(same.key));
		if (got != 0)
			return got < 0 ? -1 : 0;
	}
	return take_chunk(im, piece, n, r->object == ST_OBJECT_ONES, e);
}

/* Take the chunks that are first met in sectors [from, to). */
static int
walk(struct import *im, uint64_t from, uint64_t to, const struct zeros *zeros,
     struct err *e)
{
	size_t i = st_cuts_find(im->cuts, from), hint = 0;

	for (uint64_t at = from; at < to; i++) {
		const struct st_run *r = &im->cuts->run[i];
		uint64_t end = num_min(r->at + r->len, to);

		while (at < end && r->object != ST_OBJECT_ZEROS) {
			uint64_t in = (r->off + (at - r->at)) % ST_CHUNK_SECTORS;

			if (meet_chunk(im, r, at, zeros, &hint, e) < 0)
				return -1;
			at = num_min(end, at + (ST_CHUNK_SECTORS - in));
		}
		at = end;
	}
	return stop_check(e);
}

/* ---- maps ---------------------------------------------------------------- */

static int
by_place(const void *a, const void *b)
{
	const struct note *x = a, *y = b;

	return (x->at.at > y->at.at) - (x->at.at < y->at.at);
}

/* Wait until every chunk of a segment is stored. */
static int
wait_for(struct import *im, const struct notes *n, struct err *e)
{
	bool failed = false;

	(void)pthread_mutex_lock(&im->lock);
	for (size_t i = 0; i < n->count && !failed; i++)
		while (!n->at[i].item->is_done && !(failed = im->failed))
			(void)pthread_cond_wait(&im->done, &im->lock);
	(void)pthread_mutex_unlock(&im->lock);
	if (!failed)
		return 0;
	return pool_wait(im->pool, e) < 0 ? -1 :
		err_set(e, ERR_SYSTEM, "storing was given up");
}

static int
fill_map(const struct notes *n, uint32_t segment, struct st_map *map,
	 struct err *e)
{
	for (size_t i = 0; i < n->count; i++) {
		struct item *x = n->at[i].item;
		const struct st_extent *at = &n->at[i].at;
		size_t number = SIZE_MAX;

		if (x->is_zero)
			continue;
		if (x->map_segment == segment + 1)
			number = x->map_number;
		if (st_map_add(map, at->at, at->len, &x->chunk, at->off, number,
			       &number, e) < 0)
			return -1;
		x->map_number = (uint32_t)number;
		x->map_segment = segment + 1;
	}
	return 0;
}

/* Write the map of a segment that was walked. */
static int
finish(struct import *im, uint32_t segment, struct err *e)
{
	struct notes *n = &im->notes[segment];
	ST_MAP_SCOPED struct st_map map = ST_MAP_EMPTY;
	struct st_id id;

	if (n->count == 0)
		return 0;
	if (wait_for(im, n, e) < 0)
		return -1;
	mem_sort(n->at, n->count, sizeof(*n->at), by_place);
	if (fill_map(n, segment, &map, e) < 0)
		return -1;
	(void)pthread_mutex_lock(&im->lock);
	for (size_t i = 0; i < n->count; i++)
		item_put(n->at[i].item);
	(void)pthread_mutex_unlock(&im->lock);
	free(n->at);
	*n = (struct notes){ .at = NULL };
	if (map.extents == 0)
		return 0;
	if (st_writer_segment(im->w, im->coder, im->line, &map, &id, e) < 0)
		return -1;
	return st_root_add(&im->root, segment, &id, e);
}

static int
walk_segment(struct import *im, uint32_t segment, struct err *e)
{
	uint64_t from = (uint64_t)segment * ST_SEGMENT_SECTORS;
	uint64_t to = num_min(from + ST_SEGMENT_SECTORS, im->cuts->sectors);
	uint64_t at = from * ST_SECTOR;
	uint64_t len = num_min(to * ST_SECTOR, im->in->size) - at;
	struct zeros zeros = { .im = im };
	int r = 0;

	if (im->in->extents != NULL)
		r = im->in->extents(im->in->arg, at, len, note_zeros, &zeros, e);
	if (r == 0)
		r = walk(im, from, to, &zeros, e);
	free(zeros.at);
	progress_add(im->progress, len);
	progress_show(im->progress);
	return r;
}

static int
run(struct import *im, struct err *e)
{
	for (uint32_t s = 0; s < im->segments; s++) {
		/* A job that is not full may have what finish() waits for. */
		if (walk_segment(im, s, e) < 0 || send_job(im, e) < 0 ||
		    (s >= LAG && finish(im, s - LAG, e) < 0))
			return -1;
	}
	for (uint32_t s = im->segments < LAG ? 0 : im->segments - LAG;
	     s < im->segments; s++)
		if (finish(im, s, e) < 0)
			return -1;
	return pool_wait(im->pool, e);
}

static void
import_done(struct import *im)
{
	pool_free(&im->pool);
	if (im->job != NULL)
		job_free(im->job);
	for (uint32_t s = 0; im->notes != NULL && s < im->segments; s++) {
		for (size_t i = 0; i < im->notes[s].count; i++)
			item_put(im->notes[s].at[i].item);
		free(im->notes[s].at);
	}
	free(im->notes);
	for (size_t i = 0; i < im->idles; i++)
		st_coder_free(&im->idle[i]);
	st_coder_free(&im->coder);
	st_root_done(&im->root);
	(void)pthread_cond_destroy(&im->done);
	(void)pthread_mutex_destroy(&im->lock);
}

int
st_import(struct st_writer *w, const struct st_line *line,
	  const struct st_input *in, const struct st_cuts *cuts,
	  struct progress *p, struct st_imported *ret, struct err *e)
{
	SCOPED(import_done) struct import im = {
		.w = w, .line = line, .in = in, .cuts = cuts, .progress = p,
		.root = ST_ROOT_EMPTY };
	uint64_t segments = (cuts->sectors + ST_SEGMENT_SECTORS - 1) /
			    ST_SEGMENT_SECTORS;

	(void)pthread_mutex_init(&im.lock, NULL);
	(void)pthread_cond_init(&im.done, NULL);
	im.segments = (uint32_t)segments;
	im.notes = mem_array(im.segments, sizeof(*im.notes), e);
	im.coder = st_coder_new(e);
	im.pool = pool_new(0, QUEUE, job_run, job_drop, e);
	if (im.notes == NULL || im.coder == NULL || im.pool == NULL ||
	    run(&im, e) < 0)
		return -1;
	im.root.size = in->size;
	if (st_writer_root(w, im.coder, line, &im.root, &ret->root, e) < 0)
		return -1;
	ret->data = im.data;
	return 0;
}
