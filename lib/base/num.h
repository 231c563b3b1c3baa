/* num.h - arithmetic that cannot wrap unseen
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* True when [at, at + len) lies inside [0, size).  Never adds, so never wraps. */
static inline bool
num_in_range(uint64_t at, uint64_t len, uint64_t size)
{
	return at <= size && len <= size - at;
}

/* *ret = a * b; false, and *ret untouched, if that does not fit. */
MUST_CHECK static inline bool
num_mul_size(size_t a, size_t b, size_t *ret)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

/* *ret = a + b; false, and *ret untouched, if that does not fit. */
MUST_CHECK static inline bool
num_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

/* The smaller and the larger of two. */
static inline uint64_t num_min(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t num_max(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* v rounded down to a multiple of `unit`, which is a power of two. */
static inline uint64_t
num_align_down(uint64_t v, uint64_t unit)
{
	return v & ~(unit - 1);
}

/* v rounded up likewise; false, and *ret untouched, if that does not fit. */
MUST_CHECK static inline bool
num_align_up(uint64_t v, uint64_t unit, uint64_t *ret)
{
	uint64_t r;

	if (!num_add_u64(v, unit - 1, &r))
		return false;
	*ret = num_align_down(r, unit);
	return true;
}

/* Little-endian fields of a buffer whose bounds the caller has settled: for
 * writers.  Readers of foreign bytes use the cursor. */
static inline void
num_put_u16le(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v & 0xff);
	p[1] = (uint8_t)(v >> 8);
}

static inline void
num_put_u32le(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i & 0xff);
}

static inline void
num_put_u64le(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i & 0xff);
}

/*
 * The whole of `text` as a number: decimal, or hexadecimal after 0x.  With
 * `units`, one of the suffixes K M G T (powers of 1024) may follow.  False,
 * and *ret untouched, if it is anything else or lies outside [min, max].
 */
MUST_CHECK bool num_parse(const char *text, uint64_t min, uint64_t max,
			  bool units, uint64_t *ret);

#endif /* BASE_NUM_H */
