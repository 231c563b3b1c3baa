/* cur.h - a reading cursor that cannot leave its buffer
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A cursor reads fixed-size fields from untrusted bytes.  The first read that
 * does not fit, and the first rule broken, make the cursor bad; from then on
 * every read returns zero and moves nothing.  So a run of fields is written as
 * a run of assignments and checked once.
 *
 * The one rule: ask cur_ok() before a value read from the cursor decides
 * anything - a branch, a loop, an allocation, a seek.
 */
#ifndef BASE_CUR_H
#define BASE_CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

/* All fields are private to cur.c and to the accessors below. */
struct cur {
	const char *what;	/* name of the thing, for messages */
	const uint8_t *at;	/* next unread byte */
	size_t left;		/* unread bytes; at + left is the end */
	size_t off;		/* offset of `at` in the outermost buffer */
	const char *why;	/* NULL while good */
};

struct cur cur_over(const char *what, const void *buf, size_t len);

/* Make the cursor bad, for a reason that is a constant phrase. */
COLD void cur_bad(struct cur *c, const char *why);

/* The next n bytes, stepped over; NULL if there are not so many.  For the readers
 * below, which are inline because parsers do little else. */
static inline const uint8_t *
cur_step(struct cur *c, size_t n)
{
	const uint8_t *p = c->at;

	if (c->why != NULL || n > c->left) {
		cur_bad(c, "ends too early");
		return NULL;
	}
	c->at += n;
	c->off += n;
	c->left -= n;
	return p;
}

static inline uint8_t
cur_u8(struct cur *c)
{
	const uint8_t *p = cur_step(c, 1);

	return p == NULL ? 0 : p[0];
}

static inline uint16_t
cur_u16le(struct cur *c)
{
	const uint8_t *p = cur_step(c, 2);

	if (p == NULL)
		return 0;
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
cur_u32le(struct cur *c)
{
	const uint8_t *p = cur_step(c, 4);

	return p == NULL ? 0 : (uint32_t)p[0] | (uint32_t)p[1] << 8 |
			       (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t
cur_u64le(struct cur *c)
{
	const uint8_t *p = cur_step(c, 8);
	uint64_t v = 0;

	for (size_t i = p == NULL ? 0 : 8; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

void cur_bytes(struct cur *c, void *dst, size_t n);

/* The next n bytes as a cursor of their own, which the parent steps over. */
static inline struct cur
cur_sub(struct cur *c, size_t n)
{
	struct cur sub = *c;
	const uint8_t *p = cur_step(c, n);

	sub.left = p == NULL ? 0 : n;
	sub.why = c->why;
	return sub;
}

/* Read bytes that must have the given value. */
void cur_magic(struct cur *c, const void *magic, size_t n);
void cur_zeros(struct cur *c, size_t n);

static inline bool cur_ok(const struct cur *c) { return c->why == NULL; }
static inline size_t cur_left(const struct cur *c) { return c->left; }

/* The cur_left() unread bytes where they lie. */
static inline const void *cur_rest(const struct cur *c) { return c->at; }

/* Report a bad cursor.  Returns -1. */
COLD int cur_err(const struct cur *c, struct err *e);

/* Success only if the cursor is good and every byte was read. */
MUST_CHECK int cur_end(struct cur *c, struct err *e);

#endif /* BASE_CUR_H */
