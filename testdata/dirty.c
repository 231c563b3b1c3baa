/* dirty.c - see dirty.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "testdata/dirty.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/num.h"

enum { BASE = 4096, PAGE = 4096, SECTOR = 512 };

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* The 512 bytes of header that file and logs share. */
static void
put_header(struct buf *b, const struct buf *hive, uint32_t type, uint32_t seq1,
	   uint32_t seq2, uint64_t time)
{
	uint8_t h[SECTOR];
	uint32_t sum = 0;

	memcpy(h, hive->at, SECTOR);
	num_put_u32le(h + 4, seq1);
	num_put_u32le(h + 8, seq2);
	num_put_u64le(h + 12, time);
	num_put_u32le(h + 28, type);
	for (size_t i = 0; i < 508; i += 4)
		sum ^= get32(h + i);
	num_put_u32le(h + 508, sum);
	buf_bytes(b, h, SECTOR);
}

static void
put_primary(struct buf *b, const struct buf *was, uint32_t seq, uint64_t time)
{
	put_header(b, was, 0, seq + 1, seq, time);
	buf_bytes(b, was->at + SECTOR, was->len - SECTOR);
}

static bool
changed(const struct buf *was, const struct buf *newer, size_t at)
{
	return at + PAGE > was->len ||
	       memcmp(was->at + at, newer->at + at, PAGE) != 0;
}

static uint64_t
hive_time(const struct buf *hive)
{
	return get32(hive->at + 12) | (uint64_t)get32(hive->at + 16) << 32;
}

void
dirty_old(const struct buf *was, const struct buf *newer, uint64_t time,
	  struct buf *primary, struct buf *log)
{
	uint32_t seq = get32(was->at + 4);

	put_primary(primary, was, seq, time);
	put_header(log, newer, 1, seq, seq, time);
	buf_str(log, "DIRT");
	/* A byte of the bitmap stands for eight sectors: one page. */
	for (size_t at = BASE; at < newer->len; at += PAGE)
		buf_u8(log, changed(was, newer, at) ? 0xff : 0);
	buf_zeros(log, (SECTOR - log->len % SECTOR) % SECTOR);
	for (size_t at = BASE; at < newer->len; at += PAGE)
		if (changed(was, newer, at))
			buf_bytes(log, newer->at + at, PAGE);
}

static uint32_t
rol(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

struct marvin {
	uint32_t lo, hi;
};

WRAPS static void
mix(struct marvin *m, uint32_t v)
{
	m->lo += v;
	m->hi ^= m->lo;
	m->lo = rol(m->lo, 20) + m->hi;
	m->hi = rol(m->hi, 9) ^ m->lo;
	m->lo = rol(m->lo, 27) + m->hi;
	m->hi = rol(m->hi, 19);
}

/* Of bytes whose number is a multiple of four. */
static uint64_t
marvin32(const uint8_t *p, size_t len)
{
	struct marvin m = { .lo = 0x7a4e55c5, .hi = 0x82ef4d88 };

	for (size_t i = 0; i < len; i += 4)
		mix(&m, get32(p + i));
	mix(&m, 0x80);
	mix(&m, 0);
	return (uint64_t)m.hi << 32 | m.lo;
}

/* One log: header and an entry with every second changed page. */
static void
put_new_log(struct buf *log, const struct buf *was, const struct buf *newer,
	    uint32_t seq, unsigned which)
{
	BUF_SCOPED struct buf e = BUF_EMPTY;
	uint32_t count = 0;
	unsigned nth = 0;

	buf_str(&e, "HvLE");
	buf_zeros(&e, 4 + 4);
	buf_u32le(&e, seq);
	buf_u32le(&e, (uint32_t)(newer->len - BASE));
	buf_zeros(&e, 4 + 8 + 8);
	for (size_t at = BASE; at < newer->len; at += PAGE)
		if (changed(was, newer, at) && nth++ % 2 == which) {
			buf_u32le(&e, (uint32_t)(at - BASE));
			buf_u32le(&e, PAGE);
			count++;
		}
	nth = 0;
	for (size_t at = BASE; at < newer->len; at += PAGE)
		if (changed(was, newer, at) && nth++ % 2 == which)
			buf_bytes(&e, newer->at + at, PAGE);
	buf_zeros(&e, (SECTOR - e.len % SECTOR) % SECTOR);
	if (e.bad)
		return;
	num_put_u32le(e.at + 4, (uint32_t)e.len);
	num_put_u32le(e.at + 20, count);
	num_put_u64le(e.at + 24, marvin32(e.at + 40, e.len - 40));
	num_put_u64le(e.at + 32, marvin32(e.at, 32));
	put_header(log, newer, 6, seq, seq, hive_time(newer));
	buf_bytes(log, e.at, e.len);
}

void
dirty_new(const struct buf *was, const struct buf *newer, struct buf *primary,
	  struct buf *log1, struct buf *log2)
{
	uint32_t seq = get32(was->at + 4);

	put_primary(primary, was, seq, hive_time(was));
	put_new_log(log1, was, newer, seq + 1, 0);
	put_new_log(log2, was, newer, seq + 2, 1);
}
