/* patch.c - see patch.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/patch.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/num.h"
#include "delta/delta.h"
#include "delta/suffix.h"
#include "store/codec.h"

enum {
	LEVEL = 19,			/* zstd's */
	STREAM_MAX = 2 * DL_UNIT_MAX,	/* bytes of an unpacked stream */
};

enum stream { COPIES, GAPS, CHANGES, BYTES, STREAMS };

struct streams {
	struct buf at[STREAMS];
};

static void
streams_done(struct streams *s)
{
	for (int i = 0; i < STREAMS; i++)
		buf_done(&s->at[i]);
}

/* ---- numbers ---- */

static void
put_number(struct buf *out, uint32_t n)
{
	while (n >= 0x80) {
		buf_u8(out, (uint8_t)(n | 0x80));
		n >>= 7;
	}
	buf_u8(out, (uint8_t)n);
}

static uint32_t
get_number(struct cur *c)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t b = cur_u8(c);

		n |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) == 0) {
			if (n > UINT32_MAX)
				break;
			return (uint32_t)n;
		}
	}
	cur_bad(c, "has a number that is too large");
	return 0;
}

static uint32_t
zigzag(int64_t n)
{
	return (uint32_t)(n < 0 ? -2 * n - 1 : 2 * n);
}

static int64_t
unzigzag(uint32_t n)
{
	return (n & 1) != 0 ? -(int64_t)(n / 2) - 1 : (int64_t)(n / 2);
}

/* ---- making ---- */

/* The bytes that stay and change in one copy; *gap is how many have stayed
 * since the last change. */
static void
put_changes(struct streams *s, const uint8_t *base, const uint8_t *in,
	    size_t len, uint32_t *gap)
{
	for (size_t i = 0; i < len;) {
		size_t run = i;

		while (run < len && base[run] != in[run])
			run++;
		if (run == i) {
			++*gap;
			i++;
			continue;
		}
		put_number(&s->at[GAPS], *gap);
		put_number(&s->at[GAPS], (uint32_t)(run - i));
		*gap = 0;
		for (; i < run; i++)
			buf_u8(&s->at[CHANGES], (uint8_t)(in[i] - base[i]));
	}
}

static void
put_streams(struct streams *s, const struct dl_likes *l, const uint8_t *base,
	    const uint8_t *in, size_t len)
{
	int64_t from = 0;
	uint32_t gap = 0;
	size_t at = 0;

	/* What lies before the first copy follows an empty one. */
	for (size_t i = 0; i <= l->count; i++) {
		const struct dl_like none = { .len = 0 };
		const struct dl_like *x = i == 0 ? &none : &l->like[i - 1];
		size_t end = i < l->count ? l->like[i].at : len;

		put_number(&s->at[COPIES], zigzag((int64_t)x->from - from));
		put_number(&s->at[COPIES], x->len);
		at += x->len;
		put_number(&s->at[COPIES], (uint32_t)(end - at));
		put_changes(s, base + x->from, in + x->at, x->len, &gap);
		buf_bytes(&s->at[BYTES], in + at, end - at);
		from = (int64_t)x->from + x->len;
		at = end;
	}
}

static int
pack_stream(struct st_coder *c, const struct buf *plain, struct buf *scratch,
	    struct buf *out, struct err *e)
{
	enum st_codec codec = ST_CODEC_NONE;

	if (buf_ok(plain, e) < 0)
		return -1;
	scratch->len = 0;
	if (st_coder_pack(c, ST_CODEC_ZSTD, LEVEL, plain->at, plain->len, NULL,
			  0, scratch, &codec, e) < 0)
		return -1;
	buf_u32le(out, (uint32_t)plain->len);
	buf_u32le(out, (uint32_t)scratch->len);
	buf_u8(out, (uint8_t)codec);
	buf_bytes(out, scratch->at, scratch->len);
	return buf_ok(out, e);
}

int
dl_patch_make(struct st_coder *c, const uint8_t *base, size_t base_len,
	      const uint8_t *in, size_t len, struct buf *out, struct err *e)
{
	DL_LIKES_SCOPED struct dl_likes likes = DL_LIKES_EMPTY;
	SCOPED(streams_done) struct streams s = { .at = { { .at = NULL } } };
	BUF_SCOPED struct buf scratch = BUF_EMPTY;

	if (dl_likes_find(base, base_len, in, len, &likes, e) < 0)
		return -1;
	put_streams(&s, &likes, base, in, len);
	for (int i = 0; i < STREAMS; i++)
		if (pack_stream(c, &s.at[i], &scratch, out, e) < 0)
			return -1;
	return 0;
}

/* ---- applying ---- */

static int
unpack_stream(struct st_coder *coder, struct cur *c, struct buf *plain,
	      struct err *e)
{
	uint32_t len = cur_u32le(c), packed = cur_u32le(c);
	uint8_t codec = cur_u8(c), *room;
	struct cur in = cur_sub(c, packed);

	if (len > STREAM_MAX)
		cur_bad(c, "has an endless stream");
	if (!cur_ok(c))
		return cur_err(c, e);
	room = buf_room(plain, len);
	if (room == NULL)
		return buf_ok(plain, e);
	return st_coder_unpack(coder, codec, cur_rest(&in), cur_left(&in), NULL,
			       0, room, len, e);
}

/* A patch at work. */
struct patching {
	struct cur at[STREAMS];
	const uint8_t *base;
	size_t base_len;
	int64_t from;
	uint32_t stay, change;		/* bytes left of the present pair */
};

/* The next pair of bytes that stay and bytes that change; behind the last one,
 * everything stays. */
static void
next_pair(struct patching *p)
{
	struct cur *c = &p->at[GAPS];

	if (cur_left(c) == 0) {
		p->stay = UINT32_MAX;
		return;
	}
	p->stay = get_number(c);
	p->change = get_number(c);
	if (p->change == 0)
		cur_bad(c, "changes nothing");
}

static void
copy(struct patching *p, const uint8_t *from, uint8_t *out, size_t len)
{
	struct cur *gaps = &p->at[GAPS], *changes = &p->at[CHANGES];

	while (len > 0 && cur_ok(gaps) && cur_ok(changes)) {
		if (p->stay == 0 && p->change == 0)
			next_pair(p);

		size_t n = (size_t)num_min(len, p->stay);

		memcpy(out, from, n);
		p->stay -= (uint32_t)n;
		len -= n;
		from += n;
		out += n;
		n = p->stay > 0 ? 0 : (size_t)num_min(len, p->change);
		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)(from[i] + cur_u8(changes));
		p->change -= (uint32_t)n;
		len -= n;
		from += n;
		out += n;
	}
}

/* One copy and the new bytes behind it; returns how many it made. */
static size_t
step(struct patching *p, uint8_t *out, size_t room)
{
	struct cur *c = &p->at[COPIES];
	int64_t from = p->from + unzigzag(get_number(c));
	uint32_t len = get_number(c), bytes = get_number(c);

	if (from < 0 || !num_in_range((uint64_t)from, len, p->base_len))
		cur_bad(c, "copies from outside its base");
	if ((uint64_t)len + bytes > room)
		cur_bad(c, "makes more than it says");
	if (!cur_ok(c))
		return 0;
	copy(p, p->base + from, out, len);
	cur_bytes(&p->at[BYTES], out + len, bytes);
	p->from = from + len;
	return (size_t)len + bytes;
}

/* Is every stream good, and used up? */
static int
finish(struct patching *p, size_t room, struct err *e)
{
	if (room > 0)
		cur_bad(&p->at[COPIES], "makes less than it says");
	if (p->change > 0)
		cur_bad(&p->at[GAPS], "changes more than it copies");
	for (int i = 0; i < STREAMS; i++)
		if (cur_end(&p->at[i], e) < 0)
			return -1;
	return 0;
}

int
dl_patch_apply(struct st_coder *coder, const void *patch, size_t patch_len,
	       const uint8_t *base, size_t base_len, uint8_t *out,
	       size_t out_len, struct err *e)
{
	SCOPED(streams_done) struct streams s = { .at = { { .at = NULL } } };
	struct cur c = cur_over("patch", patch, patch_len);
	struct patching p = { .base = base, .base_len = base_len };
	size_t room = out_len;

	for (int i = 0; i < STREAMS; i++) {
		if (unpack_stream(coder, &c, &s.at[i], e) < 0)
			return -1;
		p.at[i] = cur_over("patch", s.at[i].at, s.at[i].len);
	}
	if (cur_end(&c, e) < 0)
		return -1;
	while (cur_ok(&p.at[COPIES]) && cur_left(&p.at[COPIES]) > 0) {
		size_t n = step(&p, out, room);

		out += n;
		room -= n;
	}
	return finish(&p, room, e);
}
