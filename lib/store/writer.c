/* writer.c - records into packs: see writer.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a version of them is in commit.c.
 */
#include "store/writer.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "store/image.h"
#include "store/writer-private.h"

#define FRAGMENT_RECORDS 262144u	/* written when so many have gathered */
#define MERGE_RECORDS 1048576u		/* larger fragments are left alone */
#define MERGE_COUNT 8

/* ---- names seen by this writer ------------------------------------------- */

static size_t
name_slot(const struct st_names *n, const struct st_id *id)
{
	static const struct st_id none;
	size_t i;

	memcpy(&i, id->at, sizeof(i));
	for (i &= n->cap - 1; !st_id_equal(&n->at[i], &none) &&
			      !st_id_equal(&n->at[i], id);)
		i = (i + 1) & (n->cap - 1);
	return i;
}

/* 1 added, 0 was there. */
static int
name_add(struct st_names *n, const struct st_id *id, struct err *e)
{
	if (n->count >= n->cap / 2) {
		struct st_names more = { .cap = n->cap == 0 ? 4096 : n->cap * 2 };

		more.at = mem_array(more.cap, sizeof(*more.at), e);
		if (more.at == NULL)
			return -1;
		for (size_t i = 0; i < n->cap; i++)
			more.at[name_slot(&more, &n->at[i])] = n->at[i];
		more.count = n->count;
		free(n->at);
		*n = more;
	}
	size_t i = name_slot(n, id);
	if (st_id_equal(&n->at[i], id))
		return 0;
	n->at[i] = *id;
	n->count++;
	return 1;
}

static void
names_done(struct st_names *n)
{
	free(n->at);
	*n = (struct st_names){ .at = NULL };
}

/* ---- opening ------------------------------------------------------------- */

struct st_writer *
st_writer_open(struct st_repo *r, struct err *e)
{
	ST_WRITER_SCOPED struct st_writer *w = mem_array(1, sizeof(*w), e);

	if (w == NULL)
		return NULL;
	w->pack = (struct st_pack)ST_PACK_EMPTY;
	(void)pthread_mutex_init(&w->lock, NULL);
	w->codec = ST_CODEC_ZSTD;
	w->level = 1;
	if (st_repo_lock_write(r, e) < 0)
		return NULL;
	w->repo = r;
	if (st_writer_mend(w, e) < 0)
		return NULL;
	return TAKE(w);
}

void
st_writer_free(struct st_writer *const *w)
{
	struct st_writer *x = *w;

	if (x == NULL)
		return;
	st_pack_done(&x->pack);
	st_index_new_done(&x->fresh);
	names_done(&x->names);
	names_done(&x->closed);
	if (x->repo != NULL)
		st_repo_unlock_write(x->repo);
	(void)pthread_mutex_destroy(&x->lock);
	free(x);
}

void
st_writer_codec(struct st_writer *w, enum st_codec codec, int level)
{
	w->codec = codec;
	w->level = level;
}

struct st_writer_stats
st_writer_stats(const struct st_writer *w)
{
	return w->stats;
}

/* ---- packs --------------------------------------------------------------- */

/* Name a full pack, and note its records.  Not under the lock: it syncs. */
static int
close_pack(struct st_writer *w, struct st_pack *p, struct err *e)
{
	struct st_pack_info info = { .len = p->len,
				     .records = (uint32_t)p->entries.count };
	int r = st_pack_commit(p, &info.id, e);

	(void)pthread_mutex_lock(&w->lock);
	if (r == 0) {
		r = st_index_new_pack(&w->fresh, &info, &p->entries, e);
		w->stats.packs++;
	}
	if (r == 0)
		r = name_add(&w->closed, &info.id, e) < 0 ? -1 : 0;
	if (r == 0 && w->fresh.records >= FRAGMENT_RECORDS) {
		r = st_writer_flush_index(w, e);
		names_done(&w->names);	/* the index knows them now */
	}
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

bool
st_writer_wrote_pack(const struct st_writer *w, const struct st_id *id)
{
	return w->closed.cap > 0 &&
	       st_id_equal(&w->closed.at[name_slot(&w->closed, id)], id);
}

int
st_writer_close_pack(struct st_writer *w, struct err *e)
{
	ST_PACK_SCOPED struct st_pack full = w->pack;

	w->pack = (struct st_pack)ST_PACK_EMPTY;
	return full.file.fd < 0 ? 0 : close_pack(w, &full, e);
}

int
st_writer_flush_index(struct st_writer *w, struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(w->repo, e, "index");
	struct st_id id;

	if (dir == NULL)
		return -1;
	if (w->fresh.packs == 0)
		return 0;
	if (st_index_new_write(&w->fresh, dir, &id, e) < 0)
		return -1;
	st_index_new_done(&w->fresh);
	return st_repo_index_added(w->repo, &id, e);
}

/* Append a record to the open pack; a pack that is full leaves in *full. */
static int
append_locked(struct st_writer *w, enum st_kind kind, const struct st_id *id,
	      const void *rec, size_t len, struct st_pack *full, struct err *e)
{
	if (w->pack.file.fd < 0) {
		SCOPED_FREE char *dir = st_repo_file(w->repo, e, "packs");

		if (dir == NULL || st_pack_begin(&w->pack, dir,
						 w->repo->domain, e) < 0)
			return -1;
	}
	if (st_pack_add(&w->pack, kind, id, rec, len, e) < 0)
		return -1;
	w->stats.stored_bytes += len;
	if (w->pack.len >= ST_PACK_TARGET) {
		*full = w->pack;
		w->pack = (struct st_pack)ST_PACK_EMPTY;
	}
	return 0;
}

int
st_writer_append(struct st_writer *w, enum st_kind kind, const struct st_id *id,
		 const void *rec, size_t len, struct err *e)
{
	ST_PACK_SCOPED struct st_pack full = ST_PACK_EMPTY;

	(void)pthread_mutex_lock(&w->lock);
	int r = append_locked(w, kind, id, rec, len, &full, e);
	(void)pthread_mutex_unlock(&w->lock);
	if (r < 0)
		return -1;
	return full.file.fd < 0 ? 0 : close_pack(w, &full, e);
}

/* 1: nobody has this record; it is ours to write.  0: it is there, or another
 * thread writes it. */
static int
claim(struct st_writer *w, const struct st_id *id, struct err *e)
{
	int r = st_repo_has(w->repo, id, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	(void)pthread_mutex_lock(&w->lock);
	r = name_add(&w->names, id, e);
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

static void
count(struct st_writer *w, size_t len, bool is_new)
{
	(void)pthread_mutex_lock(&w->lock);
	if (is_new) {
		w->stats.new_chunks++;
		w->stats.new_bytes += len;
	} else {
		w->stats.known_chunks++;
		w->stats.known_bytes += len;
	}
	(void)pthread_mutex_unlock(&w->lock);
}

void
st_writer_reuse(struct st_writer *w, size_t len)
{
	count(w, len, false);
}

/* Seal and append, unless it is there. */
static int
put(struct st_writer *w, struct st_coder *coder, enum st_kind kind,
    const struct st_id *id, const uint8_t key[32], const void *data, size_t len,
    bool *ret_new, struct err *e)
{
	BUF_SCOPED struct buf scratch = BUF_EMPTY;
	BUF_SCOPED struct buf rec = BUF_EMPTY;
	int ours = claim(w, id, e);

	if (ours < 0)
		return -1;
	*ret_new = ours == 1;
	if (ours == 0)
		return 0;
	if (st_record_seal(coder, kind, id, key, w->codec, w->level, data, len,
			   &scratch, &rec, e) < 0)
		return -1;
	return st_writer_append(w, kind, id, rec.at, rec.len, e);
}

/* ---- what is put --------------------------------------------------------- */

static int
check_len(size_t len, struct err *e)
{
	if (len == 0 || len > ST_CHUNK_MAX || len % ST_SECTOR != 0)
		return err_set(e, ERR_USAGE, "%zu bytes are no chunk", len);
	return 0;
}

int
st_writer_chunk(struct st_writer *w, struct st_coder *coder, const void *data,
		size_t len, struct st_chunk *ret, bool *ret_new, struct err *e)
{
	const uint8_t *ids = st_repo_root_key(w->repo, ST_ROOT_CHUNK_IDS);
	const uint8_t *keys = st_repo_root_key(w->repo, ST_ROOT_CHUNK_KEYS);

	if (ids == NULL || keys == NULL)
		return err_set(e, ERR_AUTH, "%s: only an administrator's key "
			       "can store new data", w->repo->path);
	if (check_len(len, e) < 0)
		return -1;
	ret->len = (uint32_t)len;
	cx_hash_keyed(ret->id.at, ids, data, len);
	cx_kdf(ret->key, keys, "halcyon chunk", ret->id.at, ST_ID_BYTES);
	if (put(w, coder, ST_KIND_CHUNK, &ret->id, ret->key, data, len, ret_new,
		e) < 0)
		return -1;
	count(w, len, *ret_new);
	return 0;
}

int
st_writer_chunk_as(struct st_writer *w, struct st_coder *coder,
		   const struct st_line *line, const void *data,
		   const struct st_chunk *c, bool *ret_new, struct err *e)
{
	struct st_id id;

	if (check_len(c->len, e) < 0)
		return -1;
	cx_hash_keyed(id.at, line->id_key.at, data, c->len);
	if (!st_id_equal(&id, &c->id))
		return err_set(e, ERR_AUTH, "a chunk is not what its name says");
	if (put(w, coder, ST_KIND_CHUNK, &id, c->key, data, c->len, ret_new,
		e) < 0)
		return -1;
	count(w, c->len, *ret_new);
	return 0;
}

int
st_writer_record(struct st_writer *w, const void *rec, size_t len,
		 bool *ret_new, struct err *e)
{
	struct cur c = cur_over("record", rec, len);
	struct st_record h = st_record_header(&c);

	if (cur_ok(&c) && h.body_len != cur_left(&c))
		cur_bad(&c, "has another length than it says");
	if (!cur_ok(&c))
		return cur_err(&c, e);

	int ours = claim(w, &h.id, e);
	if (ours < 0)
		return -1;
	*ret_new = ours == 1;
	return ours == 0 ? 0 : st_writer_append(w, h.kind, &h.id, rec, len, e);
}

/* Maps are named with the line's key, so equal ones are shared in the line. */
static int
put_map(struct st_writer *w, struct st_coder *coder, enum st_kind kind,
	const struct st_line *line, const struct buf *b, struct st_id *ret_id,
	struct err *e)
{
	bool is_new;

	cx_hash_keyed(ret_id->at, st_line_map_id_key(line), b->at, b->len);
	return put(w, coder, kind, ret_id, st_line_map_key(line), b->at, b->len,
		   &is_new, e);
}

int
st_writer_segment(struct st_writer *w, struct st_coder *coder,
		  const struct st_line *line, const struct st_map *m,
		  struct st_id *ret_id, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (st_map_encode(m, &b, e) < 0)
		return -1;
	int r = put_map(w, coder, ST_KIND_SEGMENT, line, &b, ret_id, e);
	explicit_bzero(b.at, b.len);	/* chunk keys */
	return r;
}

int
st_writer_root(struct st_writer *w, struct st_coder *coder,
	       const struct st_line *line, const struct st_root *root,
	       struct st_id *ret_id, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (st_root_encode(root, &b, e) < 0)
		return -1;
	return put_map(w, coder, ST_KIND_ROOT, line, &b, ret_id, e);
}

/* ---- few fragments ------------------------------------------------------- */

/* Gather the small fragments into one; what goes is removed when what replaces it
 * is there. */
int
st_writer_merge_index(struct st_writer *w, struct err *e)
{
	ST_INDEX_NEW_SCOPED struct st_index_new n = ST_INDEX_NEW_EMPTY;
	SCOPED_FREE char *dir = st_repo_file(w->repo, e, "index");
	const struct st_index *ix = st_repo_index_get(w->repo, e);
	SCOPED_FREE struct st_id *old = NULL;
	uint64_t records = 0;
	size_t olds = 0;
	struct st_id id;
	int r = 0;

	if (ix == NULL)
		return -1;
	if (dir != NULL && ix->count > MERGE_COUNT)
		old = mem_array(ix->count, sizeof(*old), e);
	for (size_t i = 0; old != NULL && r == 0 && i < ix->count; i++) {
		if (records + st_index_records(ix, i) > MERGE_RECORDS)
			continue;
		records += st_index_records(ix, i);
		old[olds++] = *st_index_id(ix, i);
		r = st_index_new_merge(&n, ix, i, NULL, NULL, e);
	}
	st_repo_index_put(w->repo);
	if (r < 0 || dir == NULL)
		return -1;
	if (olds < 2)
		return 0;
	if (st_index_new_write(&n, dir, &id, e) < 0)
		return -1;
	for (size_t i = 0; i < olds; i++) {
		char hex[ST_ID_HEX];
		SCOPED_FREE char *path = NULL;

		if (st_id_equal(&old[i], &id))
			continue;
		path = st_repo_file(w->repo, e, "index/%s.index",
				    st_id_hex(&old[i], hex));
		if (path == NULL)
			return -1;
		(void)unlink(path);
	}
	return st_repo_index_reload(w->repo, e);
}
