/* huff.c - see huff.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/huff.h"

#include <string.h>

void
vo_bits_start(struct vo_bits *b, const uint8_t *at, size_t len)
{
	*b = (struct vo_bits){ .at = at, .left = len, .spare = -16 };
	vo_bits_refill(b);
}

bool
vo_huff_build(struct vo_huff *h, const uint8_t *lengths, size_t symbols)
{
	uint32_t count[VO_HUFF_LONGEST + 1] = { 0 };
	uint32_t next[VO_HUFF_LONGEST + 1];
	uint32_t code = 0, place = 0;

	memset(h->quick, 0, sizeof(h->quick));
	for (size_t i = 0; i < symbols; i++)
		count[lengths[i]]++;
	for (unsigned n = 1; n <= VO_HUFF_LONGEST; n++) {
		code <<= 1;
		h->first[n] = code;
		h->place[n] = next[n] = place;
		code += count[n];
		place += count[n];
		if (code > 1U << n)
			return false;
		h->end[n] = code << (VO_HUFF_LONGEST - n);
	}
	for (size_t i = 0; i < symbols; i++) {
		unsigned n = lengths[i];
		uint32_t word, slots;

		if (n == 0)
			continue;
		word = h->first[n] + (next[n] - h->place[n]);
		h->symbol[next[n]++] = (uint16_t)i;
		if (n > VO_HUFF_QUICK)
			continue;
		slots = 1U << (VO_HUFF_QUICK - n);
		for (uint32_t k = 0; k < slots; k++)
			h->quick[word * slots + k] = (uint16_t)(i << 4 | n);
	}
	return true;
}
