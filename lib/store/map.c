/* map.c - see map.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/map.h"

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#define CHUNK_BYTES (ST_ID_BYTES + ST_KEY_BYTES + 4)
#define EXTENT_BYTES 16
#define SEGMENT_BYTES (4 + ST_ID_BYTES)
#define MAP_HEAD 16
#define ROOT_HEAD 24
#define VERSION 1

static const char map_magic[4] = "HMAP";
static const char root_magic[4] = "HROT";

void
st_map_done(struct st_map *m)
{
	if (m->chunk != NULL)
		explicit_bzero(m->chunk, m->chunk_cap * sizeof(*m->chunk));
	free(m->chunk);
	free(m->extent);
	*m = (struct st_map)ST_MAP_EMPTY;
}

size_t
st_map_size(const struct st_map *m)
{
	return MAP_HEAD + m->chunks * CHUNK_BYTES + m->extents * EXTENT_BYTES;
}

/* Grow the chunk table without leaving keys behind in freed memory. */
static int
grow_chunks(struct st_map *m, struct err *e)
{
	size_t cap = m->chunk_cap < 512 ? 1024 : m->chunk_cap * 2;
	struct st_chunk *at;

	if (m->chunks < m->chunk_cap)
		return 0;
	at = mem_array(cap, sizeof(*at), e);
	if (at == NULL)
		return -1;
	if (m->chunks > 0)
		memcpy(at, m->chunk, m->chunks * sizeof(*at));
	if (m->chunk != NULL)
		explicit_bzero(m->chunk, m->chunk_cap * sizeof(*at));
	free(m->chunk);
	m->chunk = at;
	m->chunk_cap = cap;
	return 0;
}

int
st_map_add(struct st_map *m, uint32_t at, uint32_t len, const struct st_chunk *c,
	   uint32_t off, size_t hint, size_t *ret_chunk, struct err *e)
{
	if (mem_grow(&m->extent, &m->extent_cap, m->extents + 1,
		     sizeof(*m->extent), e) < 0)
		return -1;
	if (hint >= m->chunks || !st_id_equal(&m->chunk[hint].id, &c->id)) {
		if (grow_chunks(m, e) < 0)
			return -1;
		hint = m->chunks;
		m->chunk[m->chunks++] = *c;
	}
	m->extent[m->extents++] = (struct st_extent){
		.at = at, .len = len, .chunk = (uint32_t)hint, .off = off };
	*ret_chunk = hint;
	return 0;
}

int
st_map_encode(const struct st_map *m, struct buf *out, struct err *e)
{
	if (st_map_size(m) > ST_MAP_MAX)
		return err_set(e, ERR_UNSUPPORTED,
			       "64 MiB of disk in more pieces than a map holds");
	buf_bytes(out, map_magic, sizeof(map_magic));
	buf_u16le(out, VERSION);
	buf_zeros(out, 2);
	buf_u32le(out, (uint32_t)m->chunks);
	buf_u32le(out, (uint32_t)m->extents);
	for (size_t i = 0; i < m->chunks; i++) {
		buf_bytes(out, m->chunk[i].id.at, ST_ID_BYTES);
		buf_bytes(out, m->chunk[i].key, ST_KEY_BYTES);
		buf_u32le(out, m->chunk[i].len);
	}
	for (size_t i = 0; i < m->extents; i++) {
		buf_u32le(out, m->extent[i].at);
		buf_u32le(out, m->extent[i].len);
		buf_u32le(out, m->extent[i].chunk);
		buf_u32le(out, m->extent[i].off);
	}
	return buf_ok(out, e);
}

static bool
chunk_len_ok(uint32_t len)
{
	return len > 0 && len <= ST_CHUNK_MAX && len % ST_SECTOR == 0;
}

static void
parse_chunks(struct cur *c, struct st_map *m)
{
	for (size_t i = 0; i < m->chunks; i++) {
		cur_bytes(c, m->chunk[i].id.at, ST_ID_BYTES);
		cur_bytes(c, m->chunk[i].key, ST_KEY_BYTES);
		m->chunk[i].len = cur_u32le(c);
		if (cur_ok(c) && !chunk_len_ok(m->chunk[i].len))
			cur_bad(c, "has a chunk of a forbidden length");
	}
}

static void
parse_extents(struct cur *c, struct st_map *m)
{
	uint32_t end = 0, named = 0;

	for (size_t i = 0; i < m->extents; i++) {
		struct st_extent *x = &m->extent[i];

		x->at = cur_u32le(c);
		x->len = cur_u32le(c);
		x->chunk = cur_u32le(c);
		x->off = cur_u32le(c);
		if (!cur_ok(c))
			return;
		if (x->len == 0 || x->at < end ||
		    !num_in_range(x->at, x->len, ST_SEGMENT_SECTORS)) {
			cur_bad(c, "has a misplaced extent");
			return;
		}
		if (x->chunk >= m->chunks || x->chunk > named ||
		    !num_in_range(x->off, x->len,
				  m->chunk[x->chunk].len / ST_SECTOR)) {
			cur_bad(c, "has an extent outside its chunk");
			return;
		}
		if (x->chunk == named)
			named++;
		end = x->at + x->len;
	}
	if (named != m->chunks)
		cur_bad(c, "has a chunk that no extent names");
}

int
st_map_parse(const void *in, size_t len, struct st_map *ret, struct err *e)
{
	struct cur c = cur_over("map", in, len);
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;

	cur_magic(&c, map_magic, sizeof(map_magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 2);
	uint32_t chunks = cur_u32le(&c);
	uint32_t extents = cur_u32le(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       "map has version %u, need %d", version, VERSION);
	if (len > ST_MAP_MAX || chunks > cur_left(&c) / CHUNK_BYTES ||
	    (uint64_t)chunks * CHUNK_BYTES + (uint64_t)extents * EXTENT_BYTES !=
		    cur_left(&c)) {
		cur_bad(&c, "holds another number of entries than it says");
		return cur_err(&c, e);
	}
	m.chunk = mem_array(chunks, sizeof(*m.chunk), e);
	m.extent = mem_array(extents, sizeof(*m.extent), e);
	if (m.chunk == NULL || m.extent == NULL)
		return -1;
	m.chunks = m.chunk_cap = chunks;
	m.extents = m.extent_cap = extents;
	parse_chunks(&c, &m);
	parse_extents(&c, &m);
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = TAKE(m);
	return 0;
}

size_t
st_map_find(const struct st_map *m, uint32_t at)
{
	size_t low = 0, high = m->extents;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->extent[mid].at + m->extent[mid].len <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
st_root_done(struct st_root *r)
{
	free(r->segment);
	*r = (struct st_root)ST_ROOT_EMPTY;
}

int
st_root_add(struct st_root *r, uint32_t number, const struct st_id *id,
	    struct err *e)
{
	if (mem_grow(&r->segment, &r->cap, r->segments + 1, sizeof(*r->segment),
		     e) < 0)
		return -1;
	r->segment[r->segments++] = (struct st_root_segment){ .number = number,
							      .id = *id };
	return 0;
}

int
st_root_encode(const struct st_root *r, struct buf *out, struct err *e)
{
	if (r->segments > (ST_MAP_MAX - ROOT_HEAD) / SEGMENT_BYTES)
		return err_set(e, ERR_UNSUPPORTED,
			       "more than 7 TiB in use; a map holds no more");
	buf_bytes(out, root_magic, sizeof(root_magic));
	buf_u16le(out, VERSION);
	buf_zeros(out, 2);
	buf_u64le(out, r->size);
	buf_u32le(out, (uint32_t)r->segments);
	buf_zeros(out, 4);
	for (size_t i = 0; i < r->segments; i++) {
		buf_u32le(out, r->segment[i].number);
		buf_bytes(out, r->segment[i].id.at, ST_ID_BYTES);
	}
	return buf_ok(out, e);
}

static void
parse_segments(struct cur *c, struct st_root *r)
{
	uint64_t next = 0;

	for (size_t i = 0; i < r->segments; i++) {
		struct st_root_segment *s = &r->segment[i];

		s->number = cur_u32le(c);
		cur_bytes(c, s->id.at, ST_ID_BYTES);
		if (!cur_ok(c))
			return;
		if (s->number < next ||
		    (uint64_t)s->number * ST_SEGMENT_BYTES >= r->size) {
			cur_bad(c, "has a misplaced segment");
			return;
		}
		next = (uint64_t)s->number + 1;
	}
}

int
st_root_parse(const void *in, size_t len, struct st_root *ret, struct err *e)
{
	struct cur c = cur_over("map root", in, len);
	ST_ROOT_SCOPED struct st_root r = ST_ROOT_EMPTY;

	cur_magic(&c, root_magic, sizeof(root_magic));
	uint16_t version = cur_u16le(&c);
	cur_zeros(&c, 2);
	r.size = cur_u64le(&c);
	uint32_t count = cur_u32le(&c);
	cur_zeros(&c, 4);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (version != VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       "map root has version %u, need %d", version,
			       VERSION);
	if (len > ST_MAP_MAX || r.size > INT64_MAX ||
	    (uint64_t)count * SEGMENT_BYTES != cur_left(&c)) {
		cur_bad(&c, "holds another number of segments than it says");
		return cur_err(&c, e);
	}
	r.segment = mem_array(count, sizeof(*r.segment), e);
	if (r.segment == NULL)
		return -1;
	r.segments = r.cap = count;
	parse_segments(&c, &r);
	if (cur_end(&c, e) < 0)
		return -1;
	*ret = TAKE(r);
	return 0;
}

const struct st_root_segment *
st_root_find(const struct st_root *r, uint32_t number)
{
	size_t low = 0, high = r->segments;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->segment[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->segments && r->segment[low].number == number ?
		&r->segment[low] : NULL;
}
