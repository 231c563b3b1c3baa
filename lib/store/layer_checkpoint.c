/* layer_checkpoint.c - where all blocks of a layer are, at one moment
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The segments that exist, the end of the last, its generation, and the table as
 * runs of blocks that lie one behind the other.  One encrypted record.
 */
#include <dirent.h>
#include <errno.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/layer-private.h"

#define VERSION 1
#define RUN_BYTES 24
#define CHECKPOINT_MAX ((size_t)CX_RECORD_MAX)

static const char magic[8] = "HALLCKP\n";
enum { HEAD = 16 };		/* magic, version, zeros */

/* ---- writing ------------------------------------------------------------- */

/* A run of the table. */
struct run {
	uint64_t block, count, loc;
};

/* Does the block behind the run go on with it? */
static bool
goes_on(const struct run *r, uint64_t loc)
{
	if (!st_loc_is_data(r->loc))
		return loc == r->loc;
	return loc == r->loc + r->count * (ST_LREC_DATA / 8);
}

static void
put_run(struct buf *b, const struct run *r)
{
	if (r->count == 0 || r->loc == ST_LOC_BASE)
		return;
	buf_u64le(b, r->block);
	buf_u64le(b, r->count);
	buf_u64le(b, r->loc);
}

static void
put_table(struct buf *b, const struct st_ltable *t)
{
	struct run r = { .count = 0 };

	for (size_t i = 0; i < t->leaves; i++) {
		if (t->leaf[i] == NULL) {
			put_run(b, &r);
			r.count = 0;
			continue;
		}
		for (uint64_t k = 0; k < ST_LEAF_BLOCKS; k++) {
			uint64_t loc = t->leaf[i][k];

			if (r.count > 0 && goes_on(&r, loc)) {
				r.count++;
				continue;
			}
			put_run(b, &r);
			r = (struct run){ .block = i * ST_LEAF_BLOCKS + k,
					  .count = 1, .loc = loc };
		}
	}
	put_run(b, &r);
}

int
st_layer_checkpoint(struct st_layer *l, struct err *e)
{
	BUF_SCOPED struct buf plain = BUF_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	SCOPED_FREE char *path = io_join(l->path, "checkpoint", e);

	if (path == NULL)
		return -1;
	buf_u64le(&plain, l->generation);
	buf_u64le(&plain, l->segs == 0 ? 0 : l->seg[l->segs - 1].end);
	buf_u64le(&plain, l->segs);
	for (size_t i = 0; i < l->segs; i++)
		buf_u32le(&plain, l->seg[i].number);
	put_table(&plain, &l->table);
	if (buf_ok(&plain, e) < 0)
		return -1;
	if (plain.len > CHECKPOINT_MAX)
		return err_set(e, ERR_UNSUPPORTED, "%s: layer is too scattered "
			       "for a checkpoint", l->path);
	buf_bytes(&out, magic, sizeof(magic));
	buf_u16le(&out, VERSION);
	buf_zeros(&out, 6);

	size_t size = cx_record_size(plain.len);
	uint8_t *room = buf_room(&out, size);
	if (room == NULL)
		return buf_ok(&out, e);
	cx_record_seal(st_layer_checkpoint_key(l), l->id, sizeof(l->id),
		       plain.at, plain.len, room);
	if (io_put(path, out.at, out.len, 0600, e) < 0)
		return -1;
	l->checkpoint_segment = l->segs == 0 ? 0 : l->seg[l->segs - 1].number;
	l->changed = false;
	return 0;
}

/* ---- reading ------------------------------------------------------------- */

/* Numbers of the segment files that are there, ascending. */
struct numbers {
	uint32_t *at;
	size_t count, cap;
};

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
list_segments(const struct st_layer *l, struct numbers *n, struct err *e)
{
	DIR *d = opendir(l->path);
	const struct dirent *x;
	int r = 0;

	if (d == NULL)
		return err_sys(e, "%s", l->path);
	while (r == 0 && (x = readdir(d)) != NULL) {
		char *end;
		unsigned long v = strtoul(x->d_name, &end, 16);

		if (end != x->d_name + 8 || strcmp(end, ".segment") != 0)
			continue;
		r = mem_grow(&n->at, &n->cap, n->count + 1, sizeof(*n->at), e);
		if (r == 0)
			n->at[n->count++] = (uint32_t)v;
	}
	(void)closedir(d);
	if (r == 0 && n->count > 1)
		mem_sort(n->at, n->count, sizeof(*n->at), by_value);
	return r;
}

static int
take_run(struct st_layer *l, struct cur *c, struct err *e)
{
	struct run r = { .block = cur_u64le(c) };

	r.count = cur_u64le(c);
	r.loc = cur_u64le(c);
	if (cur_ok(c) && (r.count == 0 || r.loc == ST_LOC_BASE ||
			  !num_in_range(r.block, r.count, l->table.blocks)))
		cur_bad(c, "has a run that can not be");
	if (!cur_ok(c))
		return cur_err(c, e);
	if (st_ltable_prepare(&l->table, r.block, r.count, e) < 0)
		return -1;

	struct st_lseg *s = NULL;
	if (st_loc_is_data(r.loc)) {
		s = st_layer_seg(l, st_loc_segment(r.loc));
		if (s == NULL || !num_in_range(st_loc_offset(r.loc),
					       r.count * ST_LREC_DATA, s->end)) {
			cur_bad(c, "has a run outside its segment");
			return cur_err(c, e);
		}
		s->live += r.count;
	}
	for (uint64_t i = 0; i < r.count; i++)
		(void)st_ltable_set(&l->table, r.block + i, s == NULL ? r.loc :
				    r.loc + i * (ST_LREC_DATA / 8));
	return 0;
}

/* One that must be there whole, unless it is the last: that may have been begun
 * just when the power went. */
static int
open_one(struct st_layer *l, const struct numbers *there, uint32_t number,
	 struct err *e)
{
	int r = st_layer_seg_open(l, number, e);

	if (r == 0 && number != there->at[there->count - 1])
		return err_set(e, ERR_CORRUPT, "%s: %08x.segment is damaged",
			       l->path, number);
	return r;
}

/* The segments that the checkpoint knows must be there; those behind the last of
 * them came later, and any other was compacted and not yet removed. */
static int
open_known(struct st_layer *l, struct cur *c, const struct numbers *there,
	   size_t *ret_known, struct err *e)
{
	uint64_t count = cur_u64le(c);
	uint32_t last = 0;

	if (cur_ok(c) && count > cur_left(c) / 4)
		cur_bad(c, "ends too early");
	for (uint64_t i = 0; i < count && cur_ok(c); i++) {
		uint32_t number = cur_u32le(c);

		if (number <= last)
			cur_bad(c, "has unsorted segments");
		else if (st_layer_seg_open(l, number, e) <= 0)
			return err_set(e, ERR_CORRUPT, "%s: %08x.segment is "
				       "damaged", l->path, number);
		last = number;
	}
	if (!cur_ok(c))
		return cur_err(c, e);
	*ret_known = l->segs;
	l->checkpoint_segment = last;
	for (size_t i = 0; i < there->count; i++) {
		if (there->at[i] > last) {
			if (open_one(l, there, there->at[i], e) < 0)
				return -1;
			continue;
		}
		if (st_layer_seg(l, there->at[i]) == NULL && l->writable) {
			SCOPED_FREE char *path = st_layer_seg_path(
				l, there->at[i], e);

			if (path == NULL)
				return -1;
			(void)unlink(path);
		}
	}
	return 0;
}

static int
parse(struct st_layer *l, const char *path, const void *in, size_t len,
      const struct numbers *there, size_t *ret_from, uint64_t *ret_at,
      struct err *e)
{
	struct cur c = cur_over(path, in, len);
	size_t known = 0;

	l->generation = cur_u64le(&c);
	uint64_t end = cur_u64le(&c);
	if (open_known(l, &c, there, &known, e) < 0)
		return -1;
	if (known > 0 && (end < ST_LSEG_HEADER || end > l->seg[known - 1].end)) {
		cur_bad(&c, "knows more of the last segment than is there");
		return cur_err(&c, e);
	}
	while (cur_ok(&c) && cur_left(&c) > 0)
		if (take_run(l, &c, e) < 0)
			return -1;
	if (cur_end(&c, e) < 0)
		return -1;
	*ret_from = known == 0 ? 0 : known - 1;
	*ret_at = known == 0 ? ST_LSEG_HEADER : end;
	return 0;
}

/* No checkpoint: then nothing was ever compacted, and all segments are
 * there. */
static int
open_all(struct st_layer *l, const struct numbers *there, struct err *e)
{
	for (size_t i = 0; i < there->count; i++) {
		if (there->at[i] != i + 1)
			return err_set(e, ERR_CORRUPT, "%s: checkpoint is "
				       "missing", l->path);
		if (open_one(l, there, there->at[i], e) < 0)
			return -1;
	}
	return 0;
}

static int
load_file(struct st_layer *l, const char *path, const struct numbers *there,
	  size_t *ret_from, uint64_t *ret_at, struct err *e)
{
	SCOPED_FREE uint8_t *in = NULL;
	SCOPED_FREE uint8_t *plain = NULL;
	size_t len, plain_len;

	if (io_slurp(path, CHECKPOINT_MAX + 4096, &in, &len, e) < 0)
		return -1;

	struct cur c = cur_over(path, in, len);
	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 6);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       path, version, VERSION);
	plain = mem_array(cur_left(&c), 1, e);
	if (plain == NULL ||
	    cx_record_open(st_layer_checkpoint_key(l), l->id, sizeof(l->id),
			   cur_rest(&c), cur_left(&c), path, plain, &plain_len,
			   e) < 0)
		return -1;
	return parse(l, path, plain, plain_len, there, ret_from, ret_at, e);
}

int
st_layer_load(struct st_layer *l, size_t *ret_from, uint64_t *ret_at,
	      struct err *e)
{
	SCOPED_FREE char *path = io_join(l->path, "checkpoint", e);
	struct numbers there = { .at = NULL };
	int r = path == NULL ? -1 : list_segments(l, &there, e);

	*ret_from = 0;
	*ret_at = ST_LSEG_HEADER;
	if (r == 0 && access(path, F_OK) < 0 && errno == ENOENT)
		r = open_all(l, &there, e);
	else if (r == 0)
		r = load_file(l, path, &there, ret_from, ret_at, e);
	free(there.at);
	return r;
}
