/* wof.c - see wof.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/wof.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scope.h"
#include "volume/lzx.h"
#include "volume/xpress.h"

enum {
	WOF_VERSION = 1, PROVIDER_FILE = 2, FILE_VERSION = 1,
	CHUNK_MAX = 32 << 10,
};

int
vo_wof_method(const void *reparse, size_t len, enum vo_wof_method *ret,
	      struct err *e)
{
	struct cur c = cur_over("CompactOS reparse point", reparse, len);
	uint32_t version, provider, file_version, method;

	(void)cur_sub(&c, 8);		/* tag, length, reserved */
	version = cur_u32le(&c);
	provider = cur_u32le(&c);
	if (cur_ok(&c) && (version != WOF_VERSION || provider != PROVIDER_FILE))
		return err_set(e, ERR_UNSUPPORTED, "lies in another file "
			       "(WIMBoot), which is not read");
	file_version = cur_u32le(&c);
	method = cur_u32le(&c);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (file_version != FILE_VERSION || method > VO_WOF_XPRESS16K)
		return err_set(e, ERR_UNSUPPORTED, "is compressed by a method "
			       "of CompactOS that is not known (%u)", method);
	*ret = (enum vo_wof_method)method;
	return 0;
}

static uint32_t
chunk_bytes(enum vo_wof_method method)
{
	static const uint32_t bytes[] = {
		[VO_WOF_XPRESS4K] = 4 << 10, [VO_WOF_LZX] = VO_LZX_CHUNK,
		[VO_WOF_XPRESS8K] = 8 << 10, [VO_WOF_XPRESS16K] = 16 << 10,
	};

	return bytes[method];
}

static int
damaged(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "is damaged: what CompactOS stored of it "
		       "makes no sense");
}

/* Where chunk `n` lies in the stream. */
struct place {
	uint64_t at, len;
};

static int
find_chunk(const struct vo_wof *w, uint64_t n, struct place *ret,
	   struct err *e)
{
	uint64_t chunks = (w->size - 1) / chunk_bytes(w->method) + 1;
	size_t entry = w->size > UINT32_MAX ? 8 : 4;
	uint64_t table = (chunks - 1) * entry, from = 0, to;
	/* the entry before n's, which says where n begins, and n's own */
	uint64_t first = n == 0 ? 0 : n - 1;
	size_t count = (size_t)(num_min(n + 1, chunks - 1) - first);
	uint8_t bytes[16];
	struct cur c = cur_over("table", bytes, count * entry);

	if (table > w->stored)
		return damaged(e);
	to = w->stored - table;
	if (count > 0 &&
	    w->read(w->arg, bytes, count * entry, first * entry, e) < 0)
		return -1;
	if (n > 0)
		from = entry == 8 ? cur_u64le(&c) : cur_u32le(&c);
	if (n < chunks - 1)
		to = entry == 8 ? cur_u64le(&c) : cur_u32le(&c);
	if (from > to || to > w->stored - table)
		return damaged(e);
	*ret = (struct place){ .at = table + from, .len = to - from };
	return 0;
}

/* One chunk, all of it; `packed` has room for what it is stored as. */
static int
read_chunk(const struct vo_wof *w, uint64_t n, uint8_t *to, size_t len,
	   uint8_t *packed, struct err *e)
{
	struct place p = { .at = 0 };
	bool good;

	if (find_chunk(w, n, &p, e) < 0)
		return -1;
	if (p.len > len)
		return damaged(e);
	if (p.len == len)
		return w->read(w->arg, to, len, p.at, e);
	if (w->read(w->arg, packed, (size_t)p.len, p.at, e) < 0)
		return -1;
	if (w->method == VO_WOF_LZX)
		good = vo_lzx(packed, (size_t)p.len, to, len);
	else
		good = vo_xpress(packed, (size_t)p.len, to, len);
	return good ? 0 : damaged(e);
}

int
vo_wof_read(const struct vo_wof *w, void *to, size_t len, uint64_t at,
	    struct err *e)
{
	SCOPED_FREE uint8_t *room = mem_array(2, CHUNK_MAX, e);
	uint32_t chunk = chunk_bytes(w->method);
	uint8_t *out = to;

	if (room == NULL)
		return -1;
	while (len > 0) {
		uint64_t n = at / chunk, begin = n * chunk;
		size_t whole = (size_t)num_min(chunk, w->size - begin);
		size_t in = (size_t)(at - begin);
		size_t take = (size_t)num_min(whole - in, len);
		uint8_t *plain = take == whole ? out : room + CHUNK_MAX;

		if (read_chunk(w, n, plain, whole, room, e) < 0)
			return -1;
		if (plain != out)
			memcpy(out, plain + in, take);
		out += take;
		at += take;
		len -= take;
	}
	return 0;
}
