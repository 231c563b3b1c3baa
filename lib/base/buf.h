/* buf.h - bytes that grow: what an encoder writes into
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A buffer fails stickily: the first allocation refused marks it bad, later
 * writes do nothing, and buf_ok() is asked once, before the bytes are used.
 * So a record is written as a run of calls.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

struct buf {
	uint8_t *at;	/* owned; len bytes, and a NUL that is not counted */
	size_t len, cap;
	bool bad;		/* an allocation was refused */
};

#define BUF_EMPTY { .at = NULL }
#define BUF_SCOPED SCOPED(buf_done)

void buf_done(struct buf *b);

void buf_u8(struct buf *b, uint8_t v);
void buf_u16le(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_zeros(struct buf *b, size_t n);
void buf_str(struct buf *b, const char *s);
PRINTF(2, 3) void buf_fmt(struct buf *b, const char *fmt, ...);

/* Room for n more bytes, counted as written; NULL when there is no memory. */
MUST_CHECK uint8_t *buf_room(struct buf *b, size_t n);

/* 0, or -1 with ERR_NOMEM if any write since buf_done() was refused. */
MUST_CHECK int buf_ok(const struct buf *b, struct err *e);

/* The bytes as a string that the caller frees; the buffer is empty after. */
MUST_CHECK char *buf_take_str(struct buf *b, struct err *e);

#endif /* BASE_BUF_H */
