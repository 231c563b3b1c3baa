/* layer.c - opening and reading a layer; see layer.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/hash.h"
#include "crypt/wrap.h"
#include "store/layer-private.h"

#define VERSION 1
#define LAYER_FILE_MAX (16u << 20)

static const char magic[8] = "HALLAYR\n";

const uint8_t *
st_layer_block_key(const struct st_layer *l)
{
	return l->derived.at;
}

const uint8_t *
st_layer_checkpoint_key(const struct st_layer *l)
{
	return l->derived.at + 32;
}

/* ---- making and opening -------------------------------------------------- */

int
st_layer_new(const char *path, const struct st_id *base, uint64_t size,
	     const struct cx_pubs *to, struct err *e)
{
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	SCOPED_FREE char *file = io_join(path, "layer", e);
	uint8_t id[ST_LAYER_ID], commit[CX_COMMIT_BYTES];

	if (file == NULL || cx_secret_random(&key, CX_KEY_BYTES, e) < 0)
		return -1;
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_USAGE, "%s: exists", path);
	cx_random(id, sizeof(id));
	cx_commit(key.at, commit);
	buf_bytes(&b, magic, sizeof(magic));
	buf_u16le(&b, VERSION);
	buf_zeros(&b, 2);
	buf_u32le(&b, (uint32_t)to->count);
	buf_u64le(&b, size);
	buf_bytes(&b, base->at, ST_ID_BYTES);
	buf_bytes(&b, id, sizeof(id));
	buf_bytes(&b, commit, sizeof(commit));
	if (cx_wrap(key.at, to, false, &b, e) < 0 || buf_ok(&b, e) < 0 ||
	    io_mkdirs(path, 0700, e) < 0)
		return -1;
	return io_put(file, b.at, b.len, 0600, e);
}

/* What the header file says; the stanzas lie in its bytes. */
struct head {
	uint32_t count;
	uint64_t size;
	struct st_id base;
	uint8_t id[ST_LAYER_ID], commit[CX_COMMIT_BYTES];
	const void *stanzas;
};

static int
parse_head(const char *path, const void *in, size_t len, struct head *ret,
	   struct err *e)
{
	struct cur c = cur_over(path, in, len);
	struct head h = { .count = 0 };

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 2);
	h.count = cur_u32le(&c);
	h.size = cur_u64le(&c);
	cur_bytes(&c, h.base.at, ST_ID_BYTES);
	cur_bytes(&c, h.id, sizeof(h.id));
	cur_bytes(&c, h.commit, sizeof(h.commit));
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       path, version, VERSION);
	h.stanzas = cur_rest(&c);
	if (cur_left(&c) / CX_STANZA_BYTES != h.count ||
	    cur_left(&c) % CX_STANZA_BYTES != 0 || h.size > INT64_MAX) {
		cur_bad(&c, "is no header of a layer");
		return cur_err(&c, e);
	}
	*ret = h;
	return 0;
}

int
st_layer_base(const char *path, struct st_id *ret, struct err *e)
{
	SCOPED_FREE char *file = io_join(path, "layer", e);
	SCOPED_FREE uint8_t *in = NULL;
	struct head h;
	size_t len;

	if (file == NULL || io_slurp(file, LAYER_FILE_MAX, &in, &len, e) < 0 ||
	    parse_head(file, in, len, &h, e) < 0)
		return -1;
	*ret = h.base;
	return 0;
}

static int
lock(struct st_layer *l, const char *file, struct err *e)
{
	struct flock fl = { .l_type = l->writable ? F_WRLCK : F_RDLCK,
			    .l_whence = SEEK_SET, .l_len = 1 };

	l->lock = open(file, (l->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (l->lock < 0)
		return err_sys(e, "%s", file);
	if (fcntl(l->lock, F_OFD_SETLK, &fl) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return err_sys(e, "%s: lock", file);
	return err_set(e, ERR_UNSAFE, "%s: layer is in use", l->path);
}

static int
open_head(struct st_layer *l, const struct cx_key *k, struct err *e)
{
	SCOPED_FREE char *file = io_join(l->path, "layer", e);
	SCOPED_FREE uint8_t *in = NULL;
	struct head h;
	size_t len;

	if (file == NULL || lock(l, file, e) < 0 ||
	    io_slurp(file, LAYER_FILE_MAX, &in, &len, e) < 0 ||
	    parse_head(file, in, len, &h, e) < 0)
		return -1;
	if (!st_id_equal(&h.base, st_image_id(l->base)) ||
	    h.size != st_image_size(l->base))
		return err_set(e, ERR_UNSAFE, "%s: was made over another "
			       "version", l->path);
	if (cx_unwrap(h.stanzas, h.count, h.commit, k, file, &l->key, e) < 0 ||
	    cx_secret_new(&l->derived, 64, e) < 0)
		return -1;
	cx_kdf(l->derived.at, l->key.at, "halcyon layer blocks", h.id,
	       sizeof(h.id));
	cx_kdf(l->derived.at + 32, l->key.at, "halcyon layer checkpoint", h.id,
	       sizeof(h.id));
	memcpy(l->id, h.id, sizeof(l->id));
	l->size = h.size;
	return 0;
}

static int
load(struct st_layer *l, struct err *e)
{
	uint64_t blocks = l->size / ST_LAYER_BLOCK +
			  (l->size % ST_LAYER_BLOCK != 0);
	uint64_t at;
	size_t from;

	l->batch = mem_array(ST_LAYER_BATCH, ST_LREC_DATA, e);
	if (l->batch == NULL || st_ltable_new(&l->table, blocks, e) < 0 ||
	    st_layer_load(l, &from, &at, e) < 0 ||
	    st_layer_replay(l, from, at, e) < 0)
		return -1;
	if (!l->writable)
		return 0;
	/* What was found may still be in the page cache only. */
	if (l->segs > 0 && fdatasync(l->seg[l->segs - 1].fd) < 0)
		return err_sys(e, "%s: sync", l->path);
	l->synced = l->generation;
	return 0;
}

struct st_layer *
st_layer_open(const char *path, const struct cx_key *k, struct st_image *base,
	      bool writable, struct err *e)
{
	ST_LAYER_SCOPED struct st_layer *l = mem_array(1, sizeof(*l), e);

	if (l == NULL)
		return NULL;
	l->lock = -1;
	l->failed = true;	/* until it is whole: no checkpoint */
	l->base = base;
	l->writable = writable;
	(void)pthread_mutex_init(&l->write, NULL);
	(void)pthread_rwlock_init(&l->map, NULL);
	l->path = mem_str(path, e);
	if (l->path == NULL || open_head(l, k, e) < 0 || load(l, e) < 0)
		return NULL;
	l->failed = false;
	return TAKE(l);
}

void
st_layer_free(struct st_layer *const *l)
{
	struct st_layer *x = *l;
	struct err ignored = ERR_INIT;

	if (x == NULL)
		return;
	if (x->writable && !x->failed && x->changed &&
	    st_layer_sync(x, &ignored) == 0 && st_layer_give_back(x, &ignored) == 0 &&
	    st_layer_sync(x, &ignored) == 0 &&
	    st_layer_checkpoint(x, &ignored) == 0)
		x->changed = false;
	for (size_t i = 0; i < x->segs; i++)
		(void)close(x->seg[i].fd);
	free(x->seg);
	st_ltable_done(&x->table);
	free(x->batch);
	cx_secret_done(&x->derived);
	cx_secret_done(&x->key);
	if (x->lock >= 0)
		(void)close(x->lock);
	(void)pthread_rwlock_destroy(&x->map);
	(void)pthread_mutex_destroy(&x->write);
	free(x->path);
	free(x);
}

uint64_t
st_layer_size(const struct st_layer *l)
{
	return l->size;
}

/* ---- reading ------------------------------------------------------------- */

int
st_layer_range(const struct st_layer *l, uint64_t at, uint64_t len, struct err *e)
{
	if (num_in_range(at, len, l->size))
		return 0;
	return err_set(e, ERR_CORRUPT, "%s: access beyond its end", l->path);
}

int
st_layer_block(const struct st_layer *l, uint64_t loc,
	       uint8_t out[ST_LAYER_BLOCK], struct err *e)
{
	const struct st_lseg *s = st_layer_seg(l, st_loc_segment(loc));
	uint8_t rec[ST_LREC_DATA];
	char what[48];

	(void)snprintf(what, sizeof(what), "%08x.segment, byte %u",
		       st_loc_segment(loc), st_loc_offset(loc));
	if (s == NULL)
		return err_set(e, ERR_CORRUPT, "%s: %s is missing", l->path,
			       what);
	if (io_read_at(s->fd, rec, sizeof(rec), st_loc_offset(loc), what, e) < 0)
		return err_ctx(e, "%s", l->path);
	if (st_lrec_open(l, rec, sizeof(rec), s->number, st_loc_offset(loc),
			 what, out, e) < 0)
		return err_ctx(e, "%s", l->path);
	return 0;
}

/* How many blocks from `block` on are where it is: in the base, or zeros. */
static uint64_t
alike(const struct st_layer *l, uint64_t block, uint64_t end)
{
	uint64_t loc = st_ltable_get(&l->table, block), n = 1;

	while (block + n < end && st_ltable_get(&l->table, block + n) == loc)
		n++;
	return n;
}

/* Some bytes from `at` on, at most len; *ret is how many. */
static int
read_some(struct st_layer *l, uint8_t *p, size_t len, uint64_t at, size_t *ret,
	  struct err *e)
{
	uint64_t block = at / ST_LAYER_BLOCK, in = at % ST_LAYER_BLOCK;
	uint64_t last = (at + len - 1) / ST_LAYER_BLOCK;
	uint8_t whole[ST_LAYER_BLOCK];
	size_t n = (size_t)num_min(ST_LAYER_BLOCK - in, len);
	int r = 0;

	(void)pthread_rwlock_rdlock(&l->map);
	uint64_t loc = st_ltable_get(&l->table, block);
	if (st_loc_is_data(loc))
		r = st_layer_block(l, loc, n == ST_LAYER_BLOCK ? p : whole, e);
	else
		n = (size_t)num_min(alike(l, block, last + 1) * ST_LAYER_BLOCK -
				    in, len);
	(void)pthread_rwlock_unlock(&l->map);
	if (r < 0)
		return -1;
	if (st_loc_is_data(loc) && n != ST_LAYER_BLOCK)
		memcpy(p, whole + in, n);
	else if (loc == ST_LOC_ZERO)
		memset(p, 0, n);
	else if (loc == ST_LOC_BASE && st_image_read(l->base, p, n, at, e) < 0)
		return -1;
	*ret = n;
	return 0;
}

int
st_layer_read(struct st_layer *l, void *buf, size_t len, uint64_t at,
	      struct err *e)
{
	uint8_t *p = buf;

	if (st_layer_range(l, at, len, e) < 0)
		return -1;
	while (len > 0) {
		size_t n = 0;

		if (read_some(l, p, len, at, &n, e) < 0)
			return -1;
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* ---- telling ------------------------------------------------------------- */

/* Call one of two functions for each stretch of [at, at + len). */
static int
each(struct st_layer *l, uint64_t at, uint64_t len, bool base, st_extent_fn fn,
     void *arg, struct err *e)
{
	uint64_t end = at + len;

	while (at < end) {
		uint64_t block = at / ST_LAYER_BLOCK;
		uint64_t last = (end - 1) / ST_LAYER_BLOCK + 1, n = 1;
		int r = 0;

		(void)pthread_rwlock_rdlock(&l->map);
		uint64_t loc = st_ltable_get(&l->table, block);
		while (block + n < last) {
			uint64_t next = st_ltable_get(&l->table, block + n);

			if (next != loc && !(st_loc_is_data(next) &&
					     st_loc_is_data(loc)))
				break;
			n++;
		}
		(void)pthread_rwlock_unlock(&l->map);
		uint64_t to = num_min((block + n) * ST_LAYER_BLOCK, end);
		if (loc != ST_LOC_BASE)
			r = fn(arg, at, to - at, loc == ST_LOC_ZERO, e);
		else if (base)
			r = st_image_extents(l->base, at, to - at, fn, arg, e);
		if (r < 0)
			return -1;
		at = to;
	}
	return 0;
}

int
st_layer_extents(struct st_layer *l, uint64_t at, uint64_t len, st_extent_fn fn,
		 void *arg, struct err *e)
{
	if (st_layer_range(l, at, len, e) < 0)
		return -1;
	return each(l, at, len, true, fn, arg, e);
}

int
st_layer_changes(struct st_layer *l, st_extent_fn fn, void *arg, struct err *e)
{
	return each(l, 0, l->size, false, fn, arg, e);
}
