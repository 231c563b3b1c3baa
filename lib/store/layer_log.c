/* layer_log.c - records and segments of a layer: see layer-private.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/layer-private.h"

#define VERSION 1

static const char seg_magic[8] = "HALLSEG\n";
static const char rec_magic[4] = "HLRC";

/* ---- the table ----------------------------------------------------------- */

int
st_ltable_new(struct st_ltable *t, uint64_t blocks, struct err *e)
{
	uint64_t leaves = (blocks + ST_LEAF_BLOCKS - 1) / ST_LEAF_BLOCKS;

	t->leaf = mem_array((size_t)leaves, sizeof(*t->leaf), e);
	t->zeros = mem_array(ST_LEAF_BLOCKS, sizeof(*t->zeros), e);
	if (t->leaf == NULL || t->zeros == NULL)
		return -1;
	for (size_t i = 0; i < ST_LEAF_BLOCKS; i++)
		t->zeros[i] = ST_LOC_ZERO;
	t->leaves = (size_t)leaves;
	t->blocks = blocks;
	return 0;
}

void
st_ltable_done(struct st_ltable *t)
{
	for (size_t i = 0; i < t->leaves; i++)
		if (t->leaf[i] != t->zeros)
			free(t->leaf[i]);
	free(t->leaf);
	free(t->zeros);
	*t = (struct st_ltable){ .leaf = NULL };
}

uint64_t
st_ltable_get(const struct st_ltable *t, uint64_t block)
{
	const uint64_t *leaf = t->leaf[block / ST_LEAF_BLOCKS];

	return leaf == NULL ? ST_LOC_BASE : leaf[block % ST_LEAF_BLOCKS];
}

int
st_ltable_prepare(struct st_ltable *t, uint64_t block, uint64_t count,
		  struct err *e)
{
	for (uint64_t i = block / ST_LEAF_BLOCKS;
	     i <= (block + count - 1) / ST_LEAF_BLOCKS; i++) {
		if (t->leaf[i] != NULL && t->leaf[i] != t->zeros)
			continue;
		uint64_t *leaf = mem_array(ST_LEAF_BLOCKS, sizeof(*leaf), e);
		if (leaf == NULL)
			return -1;
		if (t->leaf[i] == t->zeros)
			memcpy(leaf, t->zeros, ST_LEAF_BLOCKS * sizeof(*leaf));
		t->leaf[i] = leaf;
	}
	return 0;
}

uint64_t
st_ltable_set(struct st_ltable *t, uint64_t block, uint64_t loc)
{
	uint64_t *at = &t->leaf[block / ST_LEAF_BLOCKS][block % ST_LEAF_BLOCKS];
	uint64_t was = *at;

	*at = loc;
	return was;
}

/* ---- records ------------------------------------------------------------- */

/* What a record's body authenticates: layer, place, header. */
enum { AD_BYTES = ST_LAYER_ID + 12 + ST_LREC_HEADER };

static void
make_ad(const struct st_layer *l, uint32_t segment, uint64_t at,
	const uint8_t *header, uint8_t ad[AD_BYTES])
{
	memcpy(ad, l->id, ST_LAYER_ID);
	num_put_u32le(ad + ST_LAYER_ID, segment);
	num_put_u64le(ad + ST_LAYER_ID + 4, at);
	memcpy(ad + ST_LAYER_ID + 12, header, ST_LREC_HEADER);
}

size_t
st_lrec_seal(const struct st_layer *l, const struct st_lrec *r,
	     uint32_t segment, uint64_t at, const void *data, uint8_t *out)
{
	size_t len = r->kind == ST_LREC_KIND_DATA ? ST_LAYER_BLOCK : 0;
	uint8_t ad[AD_BYTES];

	memcpy(out, rec_magic, sizeof(rec_magic));
	num_put_u32le(out + 4, (uint32_t)r->kind);
	num_put_u64le(out + 8, r->block);
	num_put_u64le(out + 16, r->count);
	num_put_u64le(out + 24, r->generation);
	num_put_u64le(out + 32, r->synced);
	make_ad(l, segment, at, out, ad);
	cx_block_seal(st_layer_block_key(l), ad, sizeof(ad), data, len,
		      out + ST_LREC_HEADER);
	return ST_LREC_ZERO + len;
}

struct st_lrec
st_lrec_header(struct cur *c)
{
	struct st_lrec r = { .kind = ST_LREC_KIND_ZERO };

	cur_magic(c, rec_magic, sizeof(rec_magic));
	uint32_t kind = cur_u32le(c);
	r.block = cur_u64le(c);
	r.count = cur_u64le(c);
	r.generation = cur_u64le(c);
	r.synced = cur_u64le(c);
	if (!cur_ok(c))
		return r;
	if ((kind != ST_LREC_KIND_DATA && kind != ST_LREC_KIND_ZERO) ||
	    r.count == 0 || (kind == ST_LREC_KIND_DATA && r.count != 1))
		cur_bad(c, "is no record of a layer");
	else
		r.kind = (enum st_lrec_kind)kind;
	return r;
}

int
st_lrec_open(const struct st_layer *l, const uint8_t *rec, size_t len,
	     uint32_t segment, uint64_t at, const char *what,
	     uint8_t out[ST_LAYER_BLOCK], struct err *e)
{
	uint8_t ad[AD_BYTES];

	make_ad(l, segment, at, rec, ad);
	return cx_block_open(st_layer_block_key(l), ad, sizeof(ad),
			     rec + ST_LREC_HEADER, len - ST_LREC_ZERO, what, out,
			     e);
}

/* ---- segments ------------------------------------------------------------ */

struct st_lseg *
st_layer_seg(const struct st_layer *l, uint32_t number)
{
	size_t low = 0, high = l->segs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->seg[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->segs && l->seg[low].number == number ? &l->seg[low] :
							       NULL;
}

char *
st_layer_seg_path(const struct st_layer *l, uint32_t number, struct err *e)
{
	return mem_fmt(e, "%s/%08x.segment", l->path, number);
}

static int
add_seg(struct st_layer *l, struct st_lseg seg, struct err *e)
{
	if (mem_grow(&l->seg, &l->cap, l->segs + 1, sizeof(*l->seg), e) < 0)
		return -1;
	l->seg[l->segs++] = seg;
	return 0;
}

static int
write_head(const struct st_layer *l, int fd, uint32_t number, const char *path,
	   struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	buf_bytes(&b, seg_magic, sizeof(seg_magic));
	buf_u16le(&b, VERSION);
	buf_zeros(&b, 2);
	buf_u32le(&b, number);
	buf_bytes(&b, l->id, ST_LAYER_ID);
	if (buf_ok(&b, e) < 0)
		return -1;
	return io_write_at(fd, b.at, b.len, 0, path, e);
}

int
st_layer_seg_new(struct st_layer *l, struct err *e)
{
	uint32_t number = l->segs == 0 ? 1 : l->seg[l->segs - 1].number + 1;
	SCOPED_FREE char *path = st_layer_seg_path(l, number, e);

	if (path == NULL)
		return -1;
	/* One that is there was begun and never used. */
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "%s", path);
	/* Synced before there are records: so one with records has its head. */
	if (write_head(l, fd, number, path, e) < 0 ||
	    (fdatasync(fd) < 0 && err_sys(e, "%s: sync", path) < 0) ||
	    io_sync_dir(l->path, e) < 0 ||
	    add_seg(l, (struct st_lseg){ .number = number, .fd = fd,
					 .end = ST_LSEG_HEADER }, e) < 0) {
		(void)close(fd);
		(void)unlink(path);
		return -1;
	}
	return 0;
}

static int
check_head(const struct st_layer *l, int fd, uint32_t number, const char *path,
	   struct err *e)
{
	uint8_t head[ST_LSEG_HEADER], id[ST_LAYER_ID];
	struct cur c = cur_over(path, head, sizeof(head));

	if (io_read_at(fd, head, sizeof(head), 0, path, e) < 0)
		return -1;
	cur_magic(&c, seg_magic, sizeof(seg_magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 2);
	uint32_t says = cur_u32le(&c);
	cur_bytes(&c, id, sizeof(id));
	if (cur_ok(&c) && version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       path, version, VERSION);
	if (cur_ok(&c) && (says != number || memcmp(id, l->id, sizeof(id)) != 0))
		cur_bad(&c, "is a segment of another layer");
	return cur_end(&c, e);
}

int
st_layer_seg_open(struct st_layer *l, uint32_t number, struct err *e)
{
	SCOPED_FREE char *path = st_layer_seg_path(l, number, e);
	struct err why = ERR_INIT;
	struct stat st;

	if (path == NULL)
		return -1;
	int fd = open(path, (l->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", path);
	int r = fstat(fd, &st) < 0 ? err_sys(e, "%s", path) : 1;
	if (r > 0 && check_head(l, fd, number, path, &why) < 0)
		r = st.st_size <= ST_LSEG_HEADER && why.kind == ERR_CORRUPT ?
		    0 : err_set(e, why.kind, "%s", why.msg);
	if (r > 0 && add_seg(l, (struct st_lseg){ .number = number, .fd = fd,
						  .end = (uint64_t)st.st_size },
			     e) < 0)
		r = -1;
	if (r <= 0)
		(void)close(fd);
	return r;
}

/* ---- replay -------------------------------------------------------------- */

static void
forget(struct st_layer *l, uint64_t loc)
{
	struct st_lseg *s;

	if (!st_loc_is_data(loc))
		return;
	s = st_layer_seg(l, st_loc_segment(loc));
	if (s != NULL)
		s->live--;
}

/* The leaves that blocks [block, block + count) cover wholly: numbers in
 * [*ret_from, result). */
static uint64_t
whole_leaves(uint64_t block, uint64_t count, uint64_t *ret_from)
{
	*ret_from = (block + ST_LEAF_BLOCKS - 1) / ST_LEAF_BLOCKS;
	return num_max(*ret_from, (block + count) / ST_LEAF_BLOCKS);
}

int
st_layer_prepare(struct st_layer *l, const struct st_lrec *r, struct err *e)
{
	uint64_t from, to = whole_leaves(r->block, r->count, &from);
	uint64_t end = r->block + r->count;

	/* A guest that trims all of a large disk must not fill our memory. */
	if (from == to)
		return st_ltable_prepare(&l->table, r->block, r->count, e);
	if (from * ST_LEAF_BLOCKS > r->block &&
	    st_ltable_prepare(&l->table, r->block, 1, e) < 0)
		return -1;
	return to * ST_LEAF_BLOCKS < end ?
		st_ltable_prepare(&l->table, end - 1, 1, e) : 0;
}

static void
zero_leaf(struct st_layer *l, uint64_t i)
{
	uint64_t *leaf = l->table.leaf[i];

	l->table.leaf[i] = l->table.zeros;
	if (leaf == NULL || leaf == l->table.zeros)
		return;
	for (size_t k = 0; k < ST_LEAF_BLOCKS; k++)
		forget(l, leaf[k]);
	free(leaf);
}

void
st_layer_apply(struct st_layer *l, const struct st_lrec *r, uint64_t loc)
{
	uint64_t from, to = whole_leaves(r->block, r->count, &from);
	uint64_t end = r->block + r->count;

	if (r->kind == ST_LREC_KIND_DATA) {
		st_layer_seg(l, st_loc_segment(loc))->live++;
		forget(l, st_ltable_set(&l->table, r->block, loc));
		return;
	}
	for (uint64_t b = r->block; b < end;) {
		uint64_t leaf = b / ST_LEAF_BLOCKS;

		if (leaf >= from && leaf < to) {
			zero_leaf(l, leaf);
			b += ST_LEAF_BLOCKS;
		} else {
			forget(l, st_ltable_set(&l->table, b, ST_LOC_ZERO));
			b++;
		}
	}
}

/* The record at the beginning of in[0..len), which lies at `at` in the segment,
 * if it is a good one; *ret_len is its length. */
static bool
good_record(const struct st_layer *l, const struct st_lseg *s, uint64_t at,
	    const uint8_t *in, size_t len, struct st_lrec *ret, size_t *ret_len)
{
	struct cur c = cur_over("record", in, len);
	struct st_lrec r = st_lrec_header(&c);
	size_t want = r.kind == ST_LREC_KIND_DATA ? ST_LREC_DATA : ST_LREC_ZERO;
	uint8_t block[ST_LAYER_BLOCK];
	struct err none = ERR_INIT;

	if (!cur_ok(&c) || len < want ||
	    !num_in_range(r.block, r.count, l->table.blocks) ||
	    st_lrec_open(l, in, want, s->number, at, "record", block, &none) < 0)
		return false;
	*ret = r;
	*ret_len = want;
	return true;
}

/* Reads one record of a segment: 1 a good one, 0 none there, -1 the disk
 * failed. */
static int
read_record(const struct st_layer *l, const struct st_lseg *s, uint64_t at,
	    const char *path, struct st_lrec *ret, size_t *ret_len,
	    struct err *e)
{
	uint8_t rec[ST_LREC_DATA];
	size_t len = (size_t)num_min(sizeof(rec), s->end - at);

	if (len < ST_LREC_ZERO)
		return 0;
	if (io_read_at(s->fd, rec, len, at, path, e) < 0)
		return -1;
	return good_record(l, s, at, rec, len, ret, ret_len) ? 1 : 0;
}

/*
 * A place that holds no good record is the end of what was written, unless
 * something behind it says that this place had been synced: then it is damage.
 */
static int
check_tail(const struct st_layer *l, const struct st_lseg *s, uint64_t at,
	   const char *path, struct err *e)
{
	size_t len = (size_t)(s->end - at);
	SCOPED_FREE uint8_t *rest = mem_array(len, 1, e);

	if (rest == NULL || io_read_at(s->fd, rest, len, at, path, e) < 0)
		return -1;
	for (size_t k = 8; k < len; k += 8) {
		struct st_lrec r;
		size_t n;

		if (memcmp(rest + k, rec_magic,
			   num_min(sizeof(rec_magic), len - k)) == 0 &&
		    good_record(l, s, at + k, rest + k, len - k, &r, &n) &&
		    r.synced > l->generation)
			return err_set(e, ERR_CORRUPT, "%s: damaged at byte "
				       "%llu", path, (unsigned long long)at);
	}
	return 0;
}

static int
replay_segment(struct st_layer *l, struct st_lseg *s, uint64_t at, bool is_last,
	       struct err *e)
{
	SCOPED_FREE char *path = st_layer_seg_path(l, s->number, e);
	struct st_lrec r;
	size_t len;
	int got;

	if (path == NULL)
		return -1;
	while ((got = read_record(l, s, at, path, &r, &len, e)) == 1) {
		if (r.generation != l->generation + 1)
			return err_set(e, ERR_CORRUPT, "%s: records are missing "
				       "before byte %llu", path,
				       (unsigned long long)at);
		if (st_layer_prepare(l, &r, e) < 0)
			return -1;
		st_layer_apply(l, &r, st_loc(s->number, (uint32_t)at));
		l->generation = r.generation;
		at += len;
		l->changed = true;
	}
	if (got < 0 || check_tail(l, s, at, path, e) < 0)
		return -1;
	if (!is_last && at != s->end)
		return err_set(e, ERR_CORRUPT, "%s: damaged at byte %llu", path,
			       (unsigned long long)at);
	if (l->writable && at != s->end && ftruncate(s->fd, (off_t)at) < 0)
		return err_sys(e, "%s", path);
	s->end = at;
	return 0;
}

int
st_layer_replay(struct st_layer *l, size_t from, uint64_t at, struct err *e)
{
	for (size_t i = from; i < l->segs; i++) {
		if (replay_segment(l, &l->seg[i],
				   i == from ? at : ST_LSEG_HEADER,
				   i + 1 == l->segs, e) < 0)
			return -1;
	}
	return 0;
}
