/* cur.c - see cur.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/cur.h"

#include <string.h>

#include "base/err.h"

struct cur
cur_over(const char *what, const void *buf, size_t len)
{
	return (struct cur){ .what = what, .at = buf, .left = len };
}

void
cur_bad(struct cur *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	c->left = 0;
}

/* The next n bytes, stepped over; NULL if there are not so many. */
static const uint8_t *
step(struct cur *c, size_t n)
{
	const uint8_t *p = c->at;

	if (c->why != NULL)
		return NULL;
	if (n > c->left) {
		cur_bad(c, "ends too early");
		return NULL;
	}
	c->at += n;
	c->off += n;
	c->left -= n;
	return p;
}

static uint64_t
little_endian(struct cur *c, size_t n)
{
	const uint8_t *p = step(c, n);
	uint64_t v = 0;

	for (size_t i = p == NULL ? 0 : n; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

uint8_t
cur_u8(struct cur *c)
{
	return (uint8_t)little_endian(c, 1);
}

uint16_t
cur_u16le(struct cur *c)
{
	return (uint16_t)little_endian(c, 2);
}

uint32_t
cur_u32le(struct cur *c)
{
	return (uint32_t)little_endian(c, 4);
}

uint64_t
cur_u64le(struct cur *c)
{
	return little_endian(c, 8);
}

void
cur_bytes(struct cur *c, void *dst, size_t n)
{
	const uint8_t *p = step(c, n);

	if (n == 0)
		return;
	if (p == NULL)
		memset(dst, 0, n);
	else
		memcpy(dst, p, n);
}

struct cur
cur_sub(struct cur *c, size_t n)
{
	struct cur sub = *c;
	const uint8_t *p = step(c, n);

	sub.left = p == NULL ? 0 : n;
	sub.why = c->why;
	return sub;
}

void
cur_magic(struct cur *c, const void *magic, size_t n)
{
	const uint8_t *p = step(c, n);

	if (p != NULL && memcmp(p, magic, n) != 0)
		cur_bad(c, "has the wrong magic");
}

void
cur_zeros(struct cur *c, size_t n)
{
	const uint8_t *p = step(c, n);

	for (size_t i = 0; p != NULL && i < n; i++)
		if (p[i] != 0)
			cur_bad(c, "sets reserved bytes");
}

int
cur_err(const struct cur *c, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s %s (near byte %zu)",
		       c->what, c->why, c->off);
}

int
cur_end(struct cur *c, struct err *e)
{
	if (c->why == NULL && c->left > 0)
		cur_bad(c, "has trailing bytes");
	return c->why == NULL ? 0 : cur_err(c, e);
}
