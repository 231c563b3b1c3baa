/* buf.c - see buf.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

void
buf_done(struct buf *b)
{
	free(b->at);
	*b = (struct buf)BUF_EMPTY;
}

enum { MUCH = 4096 };

/* Who begins with much knows how much, and shall not hold twice of it. */
static int
reserve(struct buf *b, size_t need, struct err *e)
{
	if (b->at != NULL || need < MUCH)
		return mem_grow(&b->at, &b->cap, need, 1, e);
	b->at = mem_array(need, 1, e);
	if (b->at == NULL)
		return -1;
	b->cap = need;
	return 0;
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	struct err e = ERR_INIT;
	uint8_t *p;

	if (b->bad || n >= SIZE_MAX - b->len ||
	    reserve(b, b->len + n + 1, &e) < 0) {
		b->bad = true;
		return NULL;
	}
	p = b->at + b->len;
	b->len += n;
	b->at[b->len] = 0;
	return p;
}

void
buf_bytes(struct buf *b, const void *src, size_t n)
{
	uint8_t *p = buf_room(b, n);

	if (p != NULL && n > 0)
		memcpy(p, src, n);
}

void
buf_zeros(struct buf *b, size_t n)
{
	uint8_t *p = buf_room(b, n);

	if (p != NULL)
		memset(p, 0, n);
}

void
buf_u8(struct buf *b, uint8_t v)
{
	buf_bytes(b, &v, 1);
}

void
buf_u16le(struct buf *b, uint16_t v)
{
	uint8_t *p = buf_room(b, 2);

	if (p != NULL)
		num_put_u16le(p, v);
}

void
buf_u32le(struct buf *b, uint32_t v)
{
	uint8_t *p = buf_room(b, 4);

	if (p != NULL)
		num_put_u32le(p, v);
}

void
buf_u64le(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_room(b, 8);

	if (p != NULL)
		num_put_u64le(p, v);
}

void
buf_str(struct buf *b, const char *s)
{
	buf_bytes(b, s, strlen(s));
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	uint8_t *p = NULL;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0)
		p = buf_room(b, (size_t)len);
	if (p != NULL)
		(void)vsnprintf((char *)p, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
}

int
buf_ok(const struct buf *b, struct err *e)
{
	return b->bad ? err_set(e, ERR_NOMEM, "no memory for a buffer") : 0;
}

char *
buf_take_str(struct buf *b, struct err *e)
{
	buf_zeros(b, 0);
	if (buf_ok(b, e) < 0)
		return NULL;
	char *s = (char *)b->at;
	*b = (struct buf)BUF_EMPTY;
	return s;
}
