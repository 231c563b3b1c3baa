/* utf.h - UTF-16LE, as Windows stores text, and UTF-8, as we print it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Windows names are sequences of 16-bit units, not always valid UTF-16.  A lone
 * surrogate becomes the three bytes that UTF-8 would give it (WTF-8), so that
 * every name survives the way to text and back.
 */
#ifndef BASE_UTF_H
#define BASE_UTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

/* `bytes` bytes of UTF-16LE (an odd last byte is dropped) as a string that the
 * caller frees.  A NUL unit inside becomes the two bytes C0 80. */
MUST_CHECK char *utf_from16(const void *units, size_t bytes, struct err *e);

/* WTF-8 as UTF-16LE without a terminator; the caller frees *ret; *ret_bytes is
 * even.  Bytes that are not WTF-8 are ERR_USAGE. */
MUST_CHECK int utf_to16(const char *text, uint8_t **ret, size_t *ret_bytes,
			struct err *e);

/* The value of the WTF-8 sequence at s, of `left` bytes at least 1: its length, or
 * 0 when it is none (too long for its value, beyond U+10FFFF, or cut). */
size_t utf_next8(const void *s, size_t left, uint32_t *ret);

/* Is this well-formed UTF-8 (no WTF-8)? */
bool utf_valid8(const void *text, size_t len);

/* One unit in upper case as a Windows file system or registry compares it:
 * NT's simple one-to-one mapping of the BMP. */
uint16_t utf_upcase(uint16_t unit);

/* Compare two UTF-16LE strings unit by unit after utf_upcase(): <0, 0, >0. */
int utf_cmp16(const void *a, size_t a_bytes, const void *b, size_t b_bytes);

/* Equality of two WTF-8 strings under the same mapping. */
bool utf_same8(const char *a, const char *b);

#endif /* BASE_UTF_H */
