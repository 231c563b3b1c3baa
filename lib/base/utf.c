/* utf.c - see utf.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/utf.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/scope.h"

static uint16_t
unit_at(const uint8_t *p, size_t i)
{
	return (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
}

static bool
is_high(uint32_t u)
{
	return u >= 0xd800 && u < 0xdc00;
}

static bool
is_low(uint32_t u)
{
	return u >= 0xdc00 && u < 0xe000;
}

/* A code point, a lone surrogate or NUL as WTF-8. */
static void
put8(struct buf *b, uint32_t c)
{
	if (c != 0 && c < 0x80) {
		buf_u8(b, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(b, (uint8_t)(0xc0 | c >> 6));
		buf_u8(b, (uint8_t)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_u8(b, (uint8_t)(0xe0 | c >> 12));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 63)));
		buf_u8(b, (uint8_t)(0x80 | (c & 63)));
	} else {
		buf_u8(b, (uint8_t)(0xf0 | c >> 18));
		buf_u8(b, (uint8_t)(0x80 | (c >> 12 & 63)));
		buf_u8(b, (uint8_t)(0x80 | (c >> 6 & 63)));
		buf_u8(b, (uint8_t)(0x80 | (c & 63)));
	}
}

char *
utf_from16(const void *units, size_t bytes, struct err *e)
{
	const uint8_t *p = units;
	size_t n = bytes / 2;
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (size_t i = 0; i < n; i++) {
		uint32_t c = unit_at(p, i);

		if (is_high(c) && i + 1 < n && is_low(unit_at(p, i + 1)))
			c = 0x10000 + ((c - 0xd800) << 10) +
			    (unit_at(p, ++i) - 0xdc00u);
		put8(&b, c);
	}
	return buf_take_str(&b, e);
}

/* C0 80 stands for NUL. */
size_t
utf_next8(const void *text, size_t left, uint32_t *ret)
{
	const uint8_t *s = text;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 :
		   s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
	uint32_t c;

	if (n == 0 || n > left)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 63);
	}
	if (c > 0x10ffff || (c < least[n] && !(n == 2 && c == 0)))
		return 0;
	*ret = c;
	return n;
}

int
utf_to16(const char *text, uint8_t **ret, size_t *ret_bytes, struct err *e)
{
	size_t left = strlen(text);
	const uint8_t *s = (const uint8_t *)text;
	BUF_SCOPED struct buf b = BUF_EMPTY;

	while (left > 0) {
		uint32_t c = 0;
		size_t n = utf_next8(s, left, &c);

		if (n == 0)
			return err_set(e, ERR_USAGE, "text is not UTF-8 (byte %zu)",
				       (size_t)(s - (const uint8_t *)text));
		if (c >= 0x10000) {
			buf_u16le(&b, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		buf_u16le(&b, (uint16_t)c);
		s += n;
		left -= n;
	}
	buf_zeros(&b, 0);
	if (buf_ok(&b, e) < 0)
		return -1;
	*ret_bytes = b.len;
	*ret = TAKE(b.at);
	return 0;
}

bool
utf_valid8(const void *text, size_t len)
{
	const uint8_t *s = text;

	while (len > 0) {
		uint32_t c = 0;
		size_t n = utf_next8(s, len, &c);

		if (n == 0 || is_high(c) || is_low(c) || (n == 2 && c == 0))
			return false;
		s += n;
		len -= n;
	}
	return true;
}

int
utf_cmp16(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
	size_t na = a_bytes / 2, nb = b_bytes / 2;

	for (size_t i = 0; i < na && i < nb; i++) {
		uint16_t x = utf_upcase(unit_at(a, i));
		uint16_t y = utf_upcase(unit_at(b, i));

		if (x != y)
			return x < y ? -1 : 1;
	}
	return na == nb ? 0 : na < nb ? -1 : 1;
}

bool
utf_same8(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	const uint8_t *p = (const uint8_t *)a, *q = (const uint8_t *)b;

	while (la > 0 && lb > 0) {
		uint32_t c = 0, d = 0;
		size_t n = utf_next8(p, la, &c), m = utf_next8(q, lb, &d);

		if (n == 0 || m == 0)
			return la == lb && memcmp(p, q, la) == 0;
		if (c != d && (c > 0xffff || d > 0xffff ||
			       utf_upcase((uint16_t)c) != utf_upcase((uint16_t)d)))
			return false;
		p += n;
		la -= n;
		q += m;
		lb -= m;
	}
	return la == lb;
}
