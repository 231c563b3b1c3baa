/* xpress.c - see xpress.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/xpress.h"

#include "base/num.h"
#include "volume/huff.h"

enum {
	SYMBOLS = 512, LITERALS = 256,
	TABLE = SYMBOLS / 2,	/* bytes: four bits for each codeword's length */
	SHORTEST = 3,
	LONG = 15, LONGER = 255,	/* more of the length follows */
};

/* A byte, or two of them, between the words of bits. */
static bool
take_bytes(struct vo_bits *b, size_t n, uint32_t *ret)
{
	if (b->left < n)
		return false;
	*ret = b->at[0] | (n > 1 ? (uint32_t)b->at[1] << 8 : 0);
	b->at += n;
	b->left -= n;
	return true;
}

static bool
match_length(struct vo_bits *b, unsigned symbol, uint32_t *ret)
{
	uint32_t more;

	*ret = (symbol & LONG) + SHORTEST;
	if ((symbol & LONG) != LONG)
		return true;
	if (!take_bytes(b, 1, &more))
		return false;
	if (more == LONGER) {
		/* chunks are too short for the form with four bytes */
		if (!take_bytes(b, 2, &more) || more < LONG)
			return false;
		more -= LONG;
	}
	*ret += more;
	return true;
}

bool
vo_xpress(const uint8_t *from, size_t from_len, uint8_t *to, size_t to_len)
{
	uint8_t lengths[SYMBOLS];
	struct vo_huff code;
	struct vo_bits b;
	size_t at = 0;

	if (from_len < TABLE)
		return false;
	for (size_t i = 0; i < TABLE; i++) {
		lengths[2 * i] = from[i] & 15;
		lengths[2 * i + 1] = from[i] >> 4;
	}
	if (!vo_huff_build(&code, lengths, SYMBOLS))
		return false;
	vo_bits_start(&b, from + TABLE, from_len - TABLE);
	while (at < to_len) {
		int symbol = vo_huff_symbol(&code, &b);
		unsigned bits;
		uint32_t len, back;

		if (symbol < 0)
			return false;
		if (symbol < LITERALS) {
			to[at++] = (uint8_t)symbol;
			continue;
		}
		if (vo_bits_overrun(&b) ||
		    !match_length(&b, (unsigned)symbol, &len))
			return false;
		bits = ((unsigned)symbol - LITERALS) >> 4;
		back = (1U << bits) + vo_bits_take(&b, bits);
		if (back > at || !num_in_range(at, len, to_len))
			return false;
		for (; len > 0; len--, at++)
			to[at] = to[at - back];
	}
	return !vo_bits_overrun(&b);
}
