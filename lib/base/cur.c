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

void
cur_bytes(struct cur *c, void *dst, size_t n)
{
	const uint8_t *p = cur_step(c, n);

	if (n == 0)
		return;
	if (p == NULL)
		memset(dst, 0, n);
	else
		memcpy(dst, p, n);
}

void
cur_magic(struct cur *c, const void *magic, size_t n)
{
	const uint8_t *p = cur_step(c, n);

	if (p != NULL && memcmp(p, magic, n) != 0)
		cur_bad(c, "has the wrong magic");
}

void
cur_zeros(struct cur *c, size_t n)
{
	const uint8_t *p = cur_step(c, n);

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
