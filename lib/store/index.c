/* index.c - see index.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fragment: header, packs, records sorted by name.  Names are hashes, so they
 * are spread evenly, and interpolation finds one in one or two pages.
 */
#include "store/index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"

#define VERSION 1
#define HEAD 32
#define PACK 40			/* id, length, records */
#define RECORD 48		/* id, pack, offset, length, number and kind */
#define SUFFIX ".index"

static const char magic[8] = "HALINDX\n";

struct st_fragment {
	struct st_id id;
	const void *at;		/* mapped, or the bytes of `own` */
	size_t len;
	struct buf own;
	uint32_t packs;
	uint64_t records;
};

static void
fragment_done(struct st_fragment *f)
{
	if (f->at != NULL && f->at != f->own.at)
		(void)munmap((void *)(uintptr_t)f->at, f->len);
	buf_done(&f->own);
}

void
st_index_done(struct st_index *ix)
{
	for (size_t i = 0; i < ix->count; i++)
		fragment_done(&ix->fragment[i]);
	free(ix->fragment);
	*ix = (struct st_index)ST_INDEX_EMPTY;
}

static int
check_head(const char *path, struct st_fragment *f, struct err *e)
{
	struct cur c = cur_over(path, f->at, f->len);

	cur_magic(&c, magic, sizeof(magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 2);
	f->packs = cur_u32le(&c);
	f->records = cur_u64le(&c);
	cur_zeros(&c, 8);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %u, need %d",
			       path, version, VERSION);
	if (f->records > cur_left(&c) / RECORD ||
	    (uint64_t)f->packs * PACK + f->records * RECORD != cur_left(&c)) {
		cur_bad(&c, "holds another number of records than it says");
		return cur_err(&c, e);
	}
	return 0;
}

int
st_index_add(struct st_index *ix, const char *dir, const struct st_id *id,
	     struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = mem_fmt(e, "%s/%s" SUFFIX, dir,
					 st_id_hex(id, hex));
	SCOPED_FD int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	SCOPED(fragment_done) struct st_fragment f = { .id = *id,
						       .own = BUF_EMPTY };
	struct stat st;

	if (path == NULL)
		return -1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (st.st_size < HEAD)
		return err_set(e, ERR_CORRUPT, "%s: ends too early", path);

	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_sys(e, "%s", path);
	f.at = at;
	f.len = (size_t)st.st_size;
	if (check_head(path, &f, e) < 0 ||
	    mem_grow(&ix->fragment, &ix->cap, ix->count + 1,
		     sizeof(*ix->fragment), e) < 0)
		return -1;
	(void)madvise(at, f.len, MADV_RANDOM);
	ix->fragment[ix->count++] = TAKE(f);
	return 0;
}

int
st_index_add_new(struct st_index *ix, struct st_index_new *n, struct err *e)
{
	SCOPED(fragment_done) struct st_fragment f = { .own = BUF_EMPTY };

	if (st_index_new_encode(n, &f.own, e) < 0)
		return -1;
	f.at = f.own.at;
	f.len = f.own.len;
	cx_hash(f.id.at, f.at, f.len);
	if (check_head("index fragment", &f, e) < 0 ||
	    mem_grow(&ix->fragment, &ix->cap, ix->count + 1,
		     sizeof(*ix->fragment), e) < 0)
		return -1;
	ix->fragment[ix->count++] = TAKE(f);
	return 0;
}

bool
st_index_sound(const struct st_index *ix, size_t fragment)
{
	const struct st_fragment *f = &ix->fragment[fragment];
	struct st_id real;

	cx_hash(real.at, f->at, f->len);
	return st_id_equal(&real, &f->id);
}

void
st_index_drop(struct st_index *ix, size_t fragment)
{
	fragment_done(&ix->fragment[fragment]);
	ix->count--;
	memmove(&ix->fragment[fragment], &ix->fragment[fragment + 1],
		(ix->count - fragment) * sizeof(*ix->fragment));
}

/* One name in the directory; a fragment that went away meanwhile was merged
 * into another, and the caller looks again. */
static int
add_named(struct st_index *ix, const char *dir, const char *name, bool *again,
	  struct err *e)
{
	struct st_id id;

	if (!st_id_named(name, SUFFIX, &id))
		return 0;

	struct err why = ERR_INIT;
	if (st_index_add(ix, dir, &id, &why) == 0)
		return 0;
	if (why.kind == ERR_CORRUPT)
		return 0;
	if (why.kind == ERR_SYSTEM && why.os == ENOENT) {
		*again = true;
		return 0;
	}
	*e = why;
	return -1;
}

int
st_index_open(struct st_index *ix, const char *dir, struct err *e)
{
	bool again;

	do {
		DIR *d = opendir(dir);
		const struct dirent *x;
		int r = 0;

		again = false;
		st_index_done(ix);
		if (d == NULL)
			return errno == ENOENT ? 0 : err_sys(e, "%s", dir);
		while (r == 0 && (x = readdir(d)) != NULL)
			r = add_named(ix, dir, x->d_name, &again, e);
		(void)closedir(d);
		if (r < 0)
			return -1;
	} while (again);
	return 0;
}

/* ---- looking up ---------------------------------------------------------- */

/* A cursor at record i; i < f->records. */
static struct cur
record_at(const struct st_fragment *f, uint64_t i)
{
	struct cur c = cur_over("index fragment", f->at, f->len);

	(void)cur_sub(&c, HEAD + (size_t)f->packs * PACK + (size_t)i * RECORD);
	return c;
}

static struct st_id
id_at(const struct st_fragment *f, uint64_t i)
{
	struct cur c = record_at(f, i);
	struct st_id id;

	cur_bytes(&c, id.at, sizeof(id.at));
	return id;
}

static uint64_t
rank(const struct st_id *id)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | id->at[i];
	return v;
}

/* The place in [low, high) where an evenly spread name would be. */
static uint64_t
guess(uint64_t low, uint64_t high, uint64_t low_rank, uint64_t high_rank,
      uint64_t want)
{
	__extension__ typedef unsigned __int128 wide;

	if (want <= low_rank || high_rank <= low_rank)
		return low;
	uint64_t at = low + (uint64_t)((wide)(want - low_rank) * (high - low) /
				       (high_rank - low_rank));
	return at >= high ? high - 1 : at;
}

/* The record number of `id`: 1 found, 0 not there. */
static int
find_in(const struct st_fragment *f, const struct st_id *id, uint64_t *ret)
{
	uint64_t low = 0, high = f->records, want = rank(id);
	uint64_t low_rank = 0, high_rank = UINT64_MAX;

	for (unsigned step = 0; low < high; step++) {
		/* Names made to cluster only cost us the usual halving. */
		uint64_t mid = step < 6 ? guess(low, high, low_rank, high_rank,
						want) :
					  low + (high - low) / 2;
		struct st_id there = id_at(f, mid);
		int cmp = memcmp(&there, id, sizeof(there));

		if (cmp == 0) {
			*ret = mid;
			return 1;
		}
		if (cmp < 0) {
			low = mid + 1;
			low_rank = rank(&there);
		} else {
			high = mid;
			high_rank = rank(&there);
		}
	}
	return 0;
}

static struct st_pack_info
pack_at(const struct st_fragment *f, uint32_t i, struct cur *c)
{
	struct st_pack_info p = { .len = 0 };

	*c = cur_over("index fragment", f->at, f->len);
	(void)cur_sub(c, HEAD + (size_t)i * PACK);
	cur_bytes(c, p.id.at, sizeof(p.id.at));
	p.len = cur_u32le(c);
	p.records = cur_u32le(c);
	return p;
}

/* Read record i; *ret_pack is its pack's number in the fragment. */
static struct st_entry
entry_at(const struct st_fragment *f, uint64_t i, uint32_t *ret_pack,
	 struct cur *c)
{
	struct st_entry x = { .kind = ST_KIND_CHUNK };

	*c = record_at(f, i);
	cur_bytes(c, x.id.at, sizeof(x.id.at));
	uint32_t pack = cur_u32le(c);
	x.at = cur_u32le(c);
	x.len = cur_u32le(c);
	uint32_t word = cur_u32le(c);
	if (!cur_ok(c))
		return x;
	x.number = word >> 8;
	if (pack >= f->packs || (word & 0xff) < ST_KIND_CHUNK ||
	    (word & 0xff) > ST_KIND_ROOT || x.len > ST_RECORD_MAX ||
	    x.len < ST_RECORD_HEADER || x.at > ST_PACK_MAX)
		cur_bad(c, "has a record that can not be");
	else
		x.kind = (enum st_kind)(word & 0xff);
	*ret_pack = pack;
	return x;
}

static int
fragment_err(const struct st_fragment *f, const struct cur *c, struct err *e)
{
	char hex[ST_ID_HEX];

	(void)cur_err(c, e);
	return err_ctx(e, "index/%s" SUFFIX, st_id_hex(&f->id, hex));
}

int
st_index_find(const struct st_index *ix, const struct st_id *id,
	      struct st_place *ret, struct err *e)
{
	for (size_t k = ix->count; k > 0; k--) {
		const struct st_fragment *f = &ix->fragment[k - 1];
		struct st_place p;
		uint32_t pack = 0;
		uint64_t i;
		struct cur c;

		if (find_in(f, id, &i) == 0)
			continue;
		p.entry = entry_at(f, i, &pack, &c);
		if (!cur_ok(&c))
			return fragment_err(f, &c, e);
		p.pack = pack_at(f, pack, &c);
		if (!cur_ok(&c))
			return fragment_err(f, &c, e);
		*ret = p;
		return 1;
	}
	return 0;
}

size_t
st_index_packs(const struct st_index *ix)
{
	size_t n = 0;

	for (size_t k = 0; k < ix->count; k++)
		n += ix->fragment[k].packs;
	return n;
}

int
st_index_pack(const struct st_index *ix, size_t i, struct st_pack_info *ret,
	      struct err *e)
{
	struct cur c;
	size_t k = 0;

	for (; k < ix->count && i >= ix->fragment[k].packs; k++)
		i -= ix->fragment[k].packs;
	if (k == ix->count)
		return err_set(e, ERR_USAGE, "no such pack");
	*ret = pack_at(&ix->fragment[k], (uint32_t)i, &c);
	return cur_ok(&c) ? 0 : fragment_err(&ix->fragment[k], &c, e);
}

const struct st_id *
st_index_id(const struct st_index *ix, size_t fragment)
{
	return &ix->fragment[fragment].id;
}

uint64_t
st_index_records(const struct st_index *ix, size_t fragment)
{
	return ix->fragment[fragment].records;
}

size_t
st_index_fragment_packs(const struct st_index *ix, size_t fragment)
{
	return ix->fragment[fragment].packs;
}

/* ---- making one ---------------------------------------------------------- */

void
st_index_new_done(struct st_index_new *n)
{
	free(n->pack);
	free(n->record);
	*n = (struct st_index_new)ST_INDEX_NEW_EMPTY;
}

static int
new_record(struct st_index_new *n, const struct st_entry *x, uint32_t pack,
	   struct err *e)
{
	if (mem_grow(&n->record, &n->record_cap, n->records + 1,
		     sizeof(*n->record), e) < 0)
		return -1;
	n->record[n->records].entry = *x;
	n->record[n->records++].pack = pack;
	return 0;
}

static int
new_pack(struct st_index_new *n, const struct st_pack_info *pack, struct err *e)
{
	if (mem_grow(&n->pack, &n->pack_cap, n->packs + 1, sizeof(*n->pack),
		     e) < 0)
		return -1;
	n->pack[n->packs++] = *pack;
	return 0;
}

int
st_index_new_pack(struct st_index_new *n, const struct st_pack_info *pack,
		  const struct st_entries *entries, struct err *e)
{
	if (new_pack(n, pack, e) < 0)
		return -1;
	for (size_t i = 0; i < entries->count; i++)
		if (new_record(n, &entries->at[i], (uint32_t)(n->packs - 1),
			       e) < 0)
			return -1;
	return 0;
}

int
st_index_new_merge(struct st_index_new *n, const struct st_index *ix,
		   size_t fragment, bool (*skip)(void *arg, const struct st_id *),
		   void *arg, struct err *e)
{
	const struct st_fragment *f = &ix->fragment[fragment];
	SCOPED_FREE uint32_t *number = mem_array(f->packs, sizeof(*number), e);
	struct cur c;

	if (number == NULL)
		return -1;
	for (uint32_t i = 0; i < f->packs; i++) {
		struct st_pack_info p = pack_at(f, i, &c);

		number[i] = UINT32_MAX;
		if (!cur_ok(&c))
			return fragment_err(f, &c, e);
		if (skip != NULL && skip(arg, &p.id))
			continue;
		number[i] = (uint32_t)n->packs;
		if (new_pack(n, &p, e) < 0)
			return -1;
	}
	for (uint64_t i = 0; i < f->records; i++) {
		uint32_t pack = 0;
		struct st_entry x = entry_at(f, i, &pack, &c);

		if (!cur_ok(&c))
			return fragment_err(f, &c, e);
		if (number[pack] != UINT32_MAX &&
		    new_record(n, &x, number[pack], e) < 0)
			return -1;
	}
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct st_index_record *x = a, *y = b;

	return memcmp(&x->entry.id, &y->entry.id, sizeof(x->entry.id));
}

int
st_index_new_encode(struct st_index_new *n, struct buf *out, struct err *e)
{
	mem_sort(n->record, n->records, sizeof(*n->record), by_id);
	buf_bytes(out, magic, sizeof(magic));
	buf_u16le(out, VERSION);
	buf_zeros(out, 2);
	buf_u32le(out, (uint32_t)n->packs);
	buf_u64le(out, n->records);
	buf_zeros(out, 8);
	for (size_t i = 0; i < n->packs; i++) {
		buf_bytes(out, n->pack[i].id.at, ST_ID_BYTES);
		buf_u32le(out, n->pack[i].len);
		buf_u32le(out, n->pack[i].records);
	}
	for (size_t i = 0; i < n->records; i++) {
		const struct st_entry *x = &n->record[i].entry;

		buf_bytes(out, x->id.at, ST_ID_BYTES);
		buf_u32le(out, n->record[i].pack);
		buf_u32le(out, x->at);
		buf_u32le(out, x->len);
		buf_u32le(out, x->number << 8 | (uint32_t)x->kind);
	}
	return buf_ok(out, e);
}

int
st_index_new_write(struct st_index_new *n, const char *dir, struct st_id *ret_id,
		   struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	char hex[ST_ID_HEX];
	struct st_id id;

	if (st_index_new_encode(n, &b, e) < 0)
		return -1;
	cx_hash(id.at, b.at, b.len);

	SCOPED_FREE char *path = mem_fmt(e, "%s/%s" SUFFIX, dir,
					 st_id_hex(&id, hex));
	if (path == NULL || io_put(path, b.at, b.len, 0644, e) < 0)
		return -1;
	*ret_id = id;
	return 0;
}
