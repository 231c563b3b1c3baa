/* huff.h - canonical Huffman codes over 16-bit words, for XPRESS and LZX
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Both formats read bits from little-endian 16-bit words, highest bit first, and
 * give a code by its codeword lengths ([MS-XCA] 2.1; [MS-PATCH] "LZX DELTA" 2.1).
 */
#ifndef VOLUME_HUFF_H
#define VOLUME_HUFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
	VO_HUFF_LONGEST = 16,	/* bits of a codeword */
	VO_HUFF_QUICK = 10,	/* bits that are looked up at once */
	VO_HUFF_SYMBOLS = 512,
};

/*
 * A reader keeps 16 to 31 bits in hand, and fetches a word as soon as fewer are
 * left: XPRESS has bytes between its words, so where the next byte lies depends
 * on that.  Words behind the end are zeros, and counted.
 */
struct vo_bits {
	const uint8_t *at;	/* next unread byte */
	size_t left;
	uint32_t hand;		/* the bits, highest first */
	int spare;		/* bits in hand beyond 16 */
	unsigned missing;	/* words that were not there */
};

void vo_bits_start(struct vo_bits *b, const uint8_t *at, size_t len);

/* Fetch a word if fewer than 16 bits are in hand. */
static inline void
vo_bits_refill(struct vo_bits *b)
{
	uint32_t word = 0;

	if (b->spare >= 0)
		return;
	if (b->left >= 2) {
		word = (uint32_t)b->at[0] | (uint32_t)b->at[1] << 8;
		b->at += 2;
		b->left -= 2;
	} else {
		b->missing++;
	}
	b->hand |= word << -b->spare;
	b->spare += 16;
}

/* Step over up to 16 bits. */
static inline void
vo_bits_drop(struct vo_bits *b, unsigned n)
{
	b->hand <<= n;
	b->spare -= (int)n;
	vo_bits_refill(b);
}

/* The next n bits, at most 16. */
static inline uint32_t
vo_bits_take(struct vo_bits *b, unsigned n)
{
	uint32_t v = n == 0 ? 0 : b->hand >> (32 - n);

	vo_bits_drop(b, n);
	return v;
}

/* More was read than there is, beyond what the reader looks ahead. */
static inline bool
vo_bits_overrun(const struct vo_bits *b)
{
	return b->missing > 2;
}

struct vo_huff {
	uint16_t quick[1 << VO_HUFF_QUICK];	/* symbol << 4 | length; 0: long */
	uint16_t symbol[VO_HUFF_SYMBOLS];	/* by codeword */
	/* of each length: the first codeword, its place in symbol[], and one past
	 * the last codeword, as if that had the longest length */
	uint32_t first[VO_HUFF_LONGEST + 1];
	uint32_t place[VO_HUFF_LONGEST + 1];
	uint32_t end[VO_HUFF_LONGEST + 1];
};

/* From the length of each symbol's codeword, 0: it has none.  False: there are
 * more codewords than fit. */
MUST_CHECK bool vo_huff_build(struct vo_huff *h, const uint8_t *lengths,
			      size_t symbols);

/* The next symbol, or -1 for bits that are no codeword. */
static inline int
vo_huff_symbol(const struct vo_huff *h, struct vo_bits *b)
{
	unsigned quick = h->quick[b->hand >> (32 - VO_HUFF_QUICK)];
	uint32_t code = b->hand >> 16;

	if (quick != 0) {
		vo_bits_drop(b, quick & 15);
		return (int)(quick >> 4);
	}
	for (unsigned n = VO_HUFF_QUICK + 1; n <= VO_HUFF_LONGEST; n++) {
		if (code < h->end[n]) {
			uint32_t is = code >> (VO_HUFF_LONGEST - n);

			vo_bits_drop(b, n);
			return h->symbol[h->place[n] + (is - h->first[n])];
		}
	}
	return -1;
}

#endif /* VOLUME_HUFF_H */
