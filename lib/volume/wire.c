/* wire.c - see wire.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/wire.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"

enum { FIXED = 36 };

static uint64_t
field(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

int
vo_wire_encode(const struct vo_request *q, struct buf *out, struct err *e)
{
	size_t path = strlen(q->path), to = strlen(q->to);

	if (path > VO_PATH_MAX || to > VO_PATH_MAX || q->len > VO_DATA_MAX)
		return err_set(e, ERR_USAGE, "is too long");
	buf_u32le(out, q->op);
	buf_u64le(out, q->at);
	buf_u64le(out, q->size);
	buf_u32le(out, (uint32_t)path);
	buf_u32le(out, (uint32_t)to);
	buf_u64le(out, q->len);
	buf_bytes(out, q->path, path + 1);
	buf_bytes(out, q->to, to + 1);
	buf_bytes(out, q->data, q->len);
	return buf_ok(out, e);
}

/* The parent wrote it; checked all the same, since it costs nothing. */
int
vo_wire_parse(const void *bytes, size_t len, struct vo_request *ret,
	      struct err *e)
{
	const uint8_t *p = bytes;
	size_t path, to;

	if (len < FIXED)
		return err_set(e, ERR_CORRUPT, "request is too short");
	path = (size_t)field(p + 20, 4);
	to = (size_t)field(p + 24, 4);
	if (field(p, 4) >= VO_OP_END || path > VO_PATH_MAX ||
	    to > VO_PATH_MAX || field(p + 28, 8) > VO_DATA_MAX ||
	    len != FIXED + path + 1 + to + 1 + field(p + 28, 8) ||
	    p[FIXED + path] != 0 || p[FIXED + path + 1 + to] != 0)
		return err_set(e, ERR_CORRUPT, "request is malformed");
	*ret = (struct vo_request){
		.op = (enum vo_op)field(p, 4),
		.at = field(p + 4, 8), .size = field(p + 12, 8),
		.path = (const char *)p + FIXED,
		.to = (const char *)p + FIXED + path + 1,
		.data = p + FIXED + path + 1 + to + 1,
		.len = (size_t)field(p + 28, 8),
	};
	return 0;
}
