/* image.c - see image.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/image.h"

#include <pthread.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/hash.h"
#include "store/cache.h"
#include "store/codec.h"
#include "store/repo-private.h"
#include "store/writer-private.h"

enum {
	SEGMENTS = 64,			/* maps kept at most ... */
	SEGMENT_BYTES = 16 << 20,	/* ... and their size together */
	HANDS = 64,			/* idle sets of working memory kept */
};

/* What one thread needs to read a chunk. */
struct hand {
	struct st_coder *coder;
	struct buf rec, scratch, out;
};

/* A segment in memory. */
struct kept {
	struct st_map map;
	uint32_t number;
	unsigned users;
	bool is_used;
	uint64_t when;
};

struct st_image {
	struct st_repo *repo;
	struct st_ref ref;
	struct st_version version;
	struct st_line line;
	struct st_root root;
	struct st_cache *cache;
	bool check;

	pthread_mutex_t lock;	/* of everything below */
	struct kept kept[SEGMENTS];
	size_t kept_bytes;
	uint64_t clock;
	struct hand *idle[HANDS];
	size_t idles;
};

/* ---- working memory ------------------------------------------------------ */

static void
hand_free(struct hand *const *h)
{
	if (*h == NULL)
		return;
	st_coder_free(&(*h)->coder);
	buf_done(&(*h)->rec);
	buf_done(&(*h)->scratch);
	buf_done(&(*h)->out);
	free(*h);
}

static struct hand *
take_hand(struct st_image *i, struct err *e)
{
	SCOPED(hand_free) struct hand *h = NULL;

	(void)pthread_mutex_lock(&i->lock);
	if (i->idles > 0)
		h = i->idle[--i->idles];
	(void)pthread_mutex_unlock(&i->lock);
	if (h != NULL)
		return TAKE(h);
	h = mem_array(1, sizeof(*h), e);
	if (h == NULL)
		return NULL;
	h->coder = st_coder_new(e);
	return h->coder == NULL ? NULL : TAKE(h);
}

static void
give_hand(struct st_image *i, struct hand *h)
{
	(void)pthread_mutex_lock(&i->lock);
	if (i->idles < HANDS) {
		i->idle[i->idles++] = h;
		h = NULL;
	}
	(void)pthread_mutex_unlock(&i->lock);
	hand_free(&h);
}

/* ---- opening ------------------------------------------------------------- */

static int
load(struct st_image *i, const char *version, struct err *e)
{
	struct hand *h;

	if (st_ref_find(i->repo, version, &i->ref, e) < 0 ||
	    st_version_load(i->repo, &i->ref, &i->line, &i->version, e) < 0)
		return -1;
	h = take_hand(i, e);
	if (h == NULL)
		return -1;
	int r = st_repo_root(i->repo, h->coder, &i->line, &i->version.root,
			     &i->root, e);
	give_hand(i, h);
	if (r < 0)
		return err_ctx(e, "%s:%llu", i->ref.name,
			       (unsigned long long)i->ref.number);
	if (i->root.size != i->version.size)
		return err_set(e, ERR_CORRUPT, "%s: manifest and map disagree "
			       "about its size", version);
	return 0;
}

struct st_image *
st_image_open(struct st_repo *r, const char *version, size_t cache_bytes,
	      bool check, struct err *e)
{
	ST_IMAGE_SCOPED struct st_image *i = mem_array(1, sizeof(*i), e);

	if (i == NULL)
		return NULL;
	(void)pthread_mutex_init(&i->lock, NULL);
	i->repo = r;
	i->check = check;
	i->cache = st_cache_new(cache_bytes, e);
	if (i->cache == NULL || load(i, version, e) < 0)
		return NULL;
	return TAKE(i);
}

void
st_image_free(struct st_image *const *i)
{
	struct st_image *x = *i;

	if (x == NULL)
		return;
	for (size_t k = 0; k < SEGMENTS; k++)
		st_map_done(&x->kept[k].map);
	for (size_t k = 0; k < x->idles; k++)
		hand_free(&x->idle[k]);
	st_cache_free(&x->cache);
	st_root_done(&x->root);
	st_version_done(&x->version);
	st_line_done(&x->line);
	(void)pthread_mutex_destroy(&x->lock);
	free(x);
}

uint64_t
st_image_size(const struct st_image *i)
{
	return i->version.size;
}

const struct st_version *
st_image_version(const struct st_image *i)
{
	return &i->version;
}

const struct st_id *
st_image_id(const struct st_image *i)
{
	return &i->ref.version;
}

const struct st_root *
st_image_root(const struct st_image *i)
{
	return &i->root;
}

const struct st_line *
st_image_line(const struct st_image *i)
{
	return &i->line;
}

/* ---- segments ------------------------------------------------------------ */

static struct kept *
find_kept(struct st_image *i, uint32_t number)
{
	for (size_t k = 0; k < SEGMENTS; k++)
		if (i->kept[k].is_used && i->kept[k].number == number)
			return &i->kept[k];
	return NULL;
}

/* The place for one more map: a free one, or the one longest unused. */
static struct kept *
make_room(struct st_image *i, size_t bytes)
{
	for (;;) {
		struct kept *oldest = NULL, *unused = NULL;

		for (size_t k = 0; k < SEGMENTS; k++) {
			struct kept *x = &i->kept[k];

			if (!x->is_used)
				unused = x;
			else if (x->users == 0 &&
				 (oldest == NULL || x->when < oldest->when))
				oldest = x;
		}
		if (unused != NULL && (oldest == NULL ||
				       i->kept_bytes + bytes <= SEGMENT_BYTES))
			return unused;
		if (oldest == NULL)
			return NULL;
		i->kept_bytes -= st_map_size(&oldest->map);
		st_map_done(&oldest->map);
		oldest->is_used = false;
	}
}

/* A segment, held until given back; *own holds it when there is no room. */
static const struct st_map *
get_segment(struct st_image *i, uint32_t number, struct st_map *own,
	    struct kept **ret_kept, struct err *e)
{
	(void)pthread_mutex_lock(&i->lock);
	struct kept *x = find_kept(i, number);
	if (x != NULL) {
		x->users++;
		x->when = ++i->clock;
	}
	(void)pthread_mutex_unlock(&i->lock);
	*ret_kept = x;
	if (x != NULL)
		return &x->map;
	if (st_image_segment(i, number, own, e) < 0)
		return NULL;

	(void)pthread_mutex_lock(&i->lock);
	x = find_kept(i, number);
	if (x == NULL && (x = make_room(i, st_map_size(own))) != NULL) {
		i->kept_bytes += st_map_size(own);
		x->map = TAKE(*own);
		x->number = number;
		x->users = 0;
		x->is_used = true;
	}
	if (x != NULL) {
		x->users++;
		x->when = ++i->clock;
	}
	(void)pthread_mutex_unlock(&i->lock);
	*ret_kept = x;
	return x != NULL ? &x->map : own;
}

static void
put_segment(struct st_image *i, struct kept *x)
{
	if (x == NULL)
		return;
	(void)pthread_mutex_lock(&i->lock);
	x->users--;
	(void)pthread_mutex_unlock(&i->lock);
}

int
st_image_segment(struct st_image *i, uint32_t number, struct st_map *ret,
		 struct err *e)
{
	const struct st_root_segment *s = st_root_find(&i->root, number);
	struct hand *h;

	if (s == NULL) {
		*ret = (struct st_map)ST_MAP_EMPTY;
		return 0;
	}
	h = take_hand(i, e);
	if (h == NULL)
		return -1;
	int r = st_repo_segment(i->repo, h->coder, &i->line, &s->id, ret, e);
	give_hand(i, h);
	return r;
}

int
st_image_where(struct st_image *i, uint64_t sector, struct st_where *ret,
	       struct err *e)
{
	uint32_t number = (uint32_t)(sector / ST_SEGMENT_SECTORS);
	uint32_t at = (uint32_t)(sector % ST_SEGMENT_SECTORS);
	ST_MAP_SCOPED struct st_map own = ST_MAP_EMPTY;
	struct kept *kept = NULL;
	const struct st_map *map = get_segment(i, number, &own, &kept, e);

	if (map == NULL)
		return -1;
	size_t k = st_map_find(map, at);
	const struct st_extent *x = k < map->extents ? &map->extent[k] : NULL;

	*ret = (struct st_where){ .len = ST_SEGMENT_SECTORS - at };
	if (x != NULL && x->at > at) {
		ret->len = x->at - at;
	} else if (x != NULL) {
		ret->chunk = map->chunk[x->chunk];
		ret->off = x->off + (at - x->at);
		ret->len = x->len - (at - x->at);
	}
	put_segment(i, kept);
	return 0;
}

/* ---- chunks -------------------------------------------------------------- */

/* Which pack a bad record is in, for the message. */
static int
blame(struct st_image *i, const struct st_id *id, struct err *e)
{
	const struct st_index *ix = st_repo_index_get(i->repo, e);
	struct err ignored = ERR_INIT;
	struct st_place p;
	char hex[ST_ID_HEX];

	if (ix == NULL)
		return -1;
	int found = st_index_find(ix, id, &p, &ignored);
	st_repo_index_put(i->repo);
	if (found != 1)
		return -1;
	return err_ctx(e, "packs/%s.pack: damaged at byte %u",
		       st_id_hex(&p.pack.id, hex), p.entry.at);
}

static int
decode(struct st_image *i, struct hand *h, const struct st_chunk *c,
       struct err *e)
{
	char hex[ST_ID_HEX], what[ST_ID_HEX];
	int found = st_repo_record(i->repo, &c->id, &h->rec, e);

	(void)snprintf(what, sizeof(what), "chunk %.16s",
		       st_id_hex(&c->id, hex));
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_CORRUPT, "%s: %s is missing",
			       i->repo->path, what);
	if (st_record_open(h->coder, ST_KIND_CHUNK, &c->id, c->key, h->rec.at,
			   h->rec.len, what, ST_CHUNK_MAX, &h->scratch, &h->out,
			   e) < 0)
		return blame(i, &c->id, e);
	if (h->out.len != c->len)
		return err_set(e, ERR_CORRUPT, "%s: has another length than "
			       "the map says", what);
	if (i->check) {
		struct st_id id;

		cx_hash_keyed(id.at, i->line.id_key.at, h->out.at, h->out.len);
		if (!st_id_equal(&id, &c->id))
			return err_set(e, ERR_CORRUPT, "%s: is not what its "
				       "name says", what);
	}
	return 0;
}

/* Copy [off, off + len) of a chunk. */
static int
copy_chunk(struct st_image *i, const struct st_chunk *c, void *to, size_t off,
	   size_t len, struct err *e)
{
	int slot = st_cache_find(i->cache, &c->id);

	if (slot < 0) {
		struct hand *h = take_hand(i, e);

		if (h == NULL)
			return -1;
		if (decode(i, h, c, e) < 0) {
			give_hand(i, h);
			return -1;
		}
		/* Whoever takes all of a chunk hardly comes back for it. */
		if (len < c->len)
			slot = st_cache_put(i->cache, &c->id, &h->out);
		if (slot < 0)
			memcpy(to, h->out.at + off, len);
		give_hand(i, h);
		if (slot < 0)
			return 0;
	}
	memcpy(to, st_cache_at(i->cache, slot)->at + off, len);
	st_cache_release(i->cache, slot);
	return 0;
}

int
st_image_chunk(struct st_image *i, const struct st_chunk *c, struct buf *out,
	       struct err *e)
{
	out->len = 0;
	uint8_t *room = buf_room(out, c->len);
	if (room == NULL)
		return buf_ok(out, e);
	return copy_chunk(i, c, room, 0, c->len, e);
}

/* ---- reading ------------------------------------------------------------- */

/* [at, at + len) of a segment, which is `map`, into p. */
static int
read_segment(struct st_image *i, const struct st_map *map, uint8_t *p,
	     size_t len, uint32_t at, struct err *e)
{
	size_t k = st_map_find(map, at / ST_SECTOR);

	while (len > 0) {
		uint64_t start = len, n;

		if (k < map->extents) {
			const struct st_extent *x = &map->extent[k];
			uint64_t from = (uint64_t)x->at * ST_SECTOR;

			start = from > at ? from - at : 0;
		}
		n = num_min(start, len);
		if (n > 0) {
			memset(p, 0, n);
		} else {
			const struct st_extent *x = &map->extent[k++];
			uint64_t in = at - (uint64_t)x->at * ST_SECTOR;

			n = num_min((uint64_t)x->len * ST_SECTOR - in, len);
			if (copy_chunk(i, &map->chunk[x->chunk], p,
				       (size_t)x->off * ST_SECTOR + in, n, e) < 0)
				return -1;
		}
		p += n;
		at += (uint32_t)n;
		len -= n;
	}
	return 0;
}

static int
check_range(const struct st_image *i, uint64_t at, uint64_t len, struct err *e)
{
	if (num_in_range(at, len, i->version.size))
		return 0;
	return err_set(e, ERR_CORRUPT, "%s:%llu: read beyond its end",
		       i->ref.name, (unsigned long long)i->ref.number);
}

int
st_image_read(struct st_image *i, void *buf, size_t len, uint64_t at,
	      struct err *e)
{
	uint8_t *p = buf;

	if (check_range(i, at, len, e) < 0)
		return -1;
	while (len > 0) {
		uint32_t number = (uint32_t)(at / ST_SEGMENT_BYTES);
		uint32_t in = (uint32_t)(at % ST_SEGMENT_BYTES);
		size_t n = (size_t)num_min(ST_SEGMENT_BYTES - in, len);

		if (st_root_find(&i->root, number) == NULL) {
			memset(p, 0, n);
		} else {
			ST_MAP_SCOPED struct st_map own = ST_MAP_EMPTY;
			struct kept *kept;
			const struct st_map *map = get_segment(i, number, &own,
							       &kept, e);

			if (map == NULL)
				return -1;
			int r = read_segment(i, map, p, n, in, e);
			put_segment(i, kept);
			if (r < 0)
				return err_ctx(e, "%s:%llu", i->ref.name,
					(unsigned long long)i->ref.number);
		}
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* Stretches that are alike are joined before they are told. */
struct telling {
	st_extent_fn fn;
	void *arg;
	uint64_t at, len;
	bool zero;
};

static int
tell(struct telling *t, uint64_t at, uint64_t len, bool zero, struct err *e)
{
	if (len == 0)
		return 0;
	if (t->len > 0 && t->zero == zero) {
		t->len += len;
		return 0;
	}
	int r = t->len > 0 ? t->fn(t->arg, t->at, t->len, t->zero, e) : 0;
	t->at = at;
	t->len = len;
	t->zero = zero;
	return r;
}

/* [at, at + len) of one segment, whose first byte is at `base`. */
static int
tell_segment(const struct st_map *map, uint64_t base, uint64_t at, uint64_t len,
	     struct telling *t, struct err *e)
{
	uint64_t end = at + len;

	for (size_t k = st_map_find(map, (uint32_t)((at - base) / ST_SECTOR));
	     at < end && k < map->extents; k++) {
		uint64_t from = base + (uint64_t)map->extent[k].at * ST_SECTOR;
		uint64_t to = from + (uint64_t)map->extent[k].len * ST_SECTOR;

		if (from >= end)
			break;
		from = num_max(from, at);
		to = num_min(to, end);
		if (tell(t, at, from - at, true, e) < 0 ||
		    tell(t, from, to - from, false, e) < 0)
			return -1;
		at = to;
	}
	return tell(t, at, end - at, true, e);
}

int
st_image_extents(struct st_image *i, uint64_t at, uint64_t len, st_extent_fn fn,
		 void *arg, struct err *e)
{
	struct telling t = { .fn = fn, .arg = arg };

	if (check_range(i, at, len, e) < 0)
		return -1;
	while (len > 0) {
		uint32_t number = (uint32_t)(at / ST_SEGMENT_BYTES);
		uint64_t base = (uint64_t)number * ST_SEGMENT_BYTES;
		uint64_t n = num_min(base + ST_SEGMENT_BYTES - at, len);
		ST_MAP_SCOPED struct st_map own = ST_MAP_EMPTY;
		struct kept *kept = NULL;
		const struct st_map *map = &own;

		if (st_root_find(&i->root, number) != NULL)
			map = get_segment(i, number, &own, &kept, e);
		if (map == NULL)
			return -1;
		int r = tell_segment(map, base, at, n, &t, e);
		put_segment(i, kept);
		if (r < 0)
			return -1;
		at += n;
		len -= n;
	}
	return t.len > 0 ? fn(arg, t.at, t.len, t.zero, e) : 0;
}
