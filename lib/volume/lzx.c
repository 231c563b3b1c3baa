/* lzx.c - see lzx.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "volume/lzx.h"

#include <string.h>

#include "base/num.h"
#include "volume/huff.h"

enum {
	LITERALS = 256,
	SLOTS = 30,		/* of match offsets in a window of 32 KiB */
	MAIN = LITERALS + SLOTS * 8,
	LENGTHS = 249, ALIGNED = 8, PRE = 20,
	LONG = 7, SHORTEST = 2,
	BLOCK = 32768,		/* bytes of a block that does not say */
	CALL = 0xe8, CALL_BYTES = 10,	/* the last bytes hold no call */
	FILE_SIZE = 12000000,
};

enum block { VERBATIM = 1, WITH_ALIGNED = 2, UNCOMPRESSED = 3 };

struct lzx {
	struct vo_bits b;
	uint8_t *to;
	size_t at, to_len;
	uint32_t recent[3];
	/* lengths of codewords are told as differences to the last block's */
	uint8_t main_lengths[MAIN], length_lengths[LENGTHS];
	struct vo_huff main, length, aligned, pre;
};

/* ---- codes ---------------------------------------------------------------- */

static bool
read_code(struct lzx *z, struct vo_huff *code, size_t symbols, unsigned bits)
{
	uint8_t lengths[PRE];

	for (size_t i = 0; i < symbols; i++)
		lengths[i] = (uint8_t)vo_bits_take(&z->b, bits);
	return vo_huff_build(code, lengths, symbols);
}

/* The length that a symbol of the pre-code makes of the last block's. */
static uint8_t
changed(uint8_t was, int symbol)
{
	int is = was - symbol;

	return (uint8_t)(is < 0 ? is + 17 : is);
}

static bool
read_lengths(struct lzx *z, uint8_t *lengths, size_t n)
{
	if (!read_code(z, &z->pre, PRE, 4))
		return false;
	for (size_t i = 0; i < n;) {
		int symbol = vo_huff_symbol(&z->pre, &z->b);
		size_t run = 1;
		uint8_t is;

		if (symbol < 0 || vo_bits_overrun(&z->b))
			return false;
		if (symbol == 17)
			run = 4 + vo_bits_take(&z->b, 4);
		else if (symbol == 18)
			run = 20 + vo_bits_take(&z->b, 5);
		else if (symbol == 19)
			run = 4 + vo_bits_take(&z->b, 1);
		if (symbol == 19) {
			symbol = vo_huff_symbol(&z->pre, &z->b);
			if (symbol < 0 || symbol > 16)
				return false;
		}
		is = symbol > 16 ? 0 : changed(lengths[i], symbol);
		if (!num_in_range(i, run, n))
			return false;
		memset(lengths + i, is, run);
		i += run;
	}
	return true;
}

static bool
read_codes(struct lzx *z, enum block kind)
{
	if (kind == WITH_ALIGNED && !read_code(z, &z->aligned, ALIGNED, 3))
		return false;
	return read_lengths(z, z->main_lengths, LITERALS) &&
	       read_lengths(z, z->main_lengths + LITERALS, MAIN - LITERALS) &&
	       read_lengths(z, z->length_lengths, LENGTHS) &&
	       vo_huff_build(&z->main, z->main_lengths, MAIN) &&
	       vo_huff_build(&z->length, z->length_lengths, LENGTHS);
}

/* ---- blocks --------------------------------------------------------------- */

/* How far back a match lies; 0: nonsense. */
static uint32_t
match_offset(struct lzx *z, unsigned slot, enum block kind)
{
	unsigned extra = slot < 4 ? 0 : slot / 2 - 1;
	uint32_t base = slot < 4 ? slot : (2U | (slot & 1)) << extra;
	int low = 0;

	if (slot < 3) {
		uint32_t back = z->recent[slot];

		z->recent[slot] = z->recent[0];
		z->recent[0] = back;
		return back;
	}
	if (kind == WITH_ALIGNED && extra >= 3) {
		base += vo_bits_take(&z->b, extra - 3) << 3;
		low = vo_huff_symbol(&z->aligned, &z->b);
	} else {
		base += vo_bits_take(&z->b, extra);
	}
	if (low < 0)
		return 0;
	z->recent[2] = z->recent[1];
	z->recent[1] = z->recent[0];
	z->recent[0] = base + (uint32_t)low - 2;
	return z->recent[0];
}

static bool
copy_match(struct lzx *z, unsigned symbol, enum block kind, size_t end)
{
	size_t len = (symbol & LONG) + SHORTEST;
	uint32_t back;

	if ((symbol & LONG) == LONG) {
		int more = vo_huff_symbol(&z->length, &z->b);

		if (more < 0)
			return false;
		len += (unsigned)more;
	}
	back = match_offset(z, symbol >> 3, kind);
	if (back == 0 || back > z->at || !num_in_range(z->at, len, end))
		return false;
	for (; len > 0; len--, z->at++)
		z->to[z->at] = z->to[z->at - back];
	return true;
}

static bool
coded_block(struct lzx *z, enum block kind, size_t end)
{
	if (!read_codes(z, kind))
		return false;
	while (z->at < end) {
		int symbol = vo_huff_symbol(&z->main, &z->b);

		if (symbol < 0 || vo_bits_overrun(&z->b))
			return false;
		if (symbol < LITERALS)
			z->to[z->at++] = (uint8_t)symbol;
		else if (!copy_match(z, (unsigned)symbol - LITERALS, kind, end))
			return false;
	}
	return true;
}

/* Bytes as they are, at a whole word; 1 to 16 bits lie before it. */
static bool
plain_block(struct lzx *z, size_t end)
{
	struct vo_bits *b = &z->b;
	size_t len = end - z->at, in_hand = (size_t)(b->spare + 16);
	size_t ahead = (in_hand - 1) / 16 * 2;	/* whole bytes to give back */

	if (b->missing > 0)
		return false;
	b->at -= ahead;
	b->left += ahead;
	if (b->left < sizeof(z->recent))
		return false;
	for (int i = 0; i < 3; i++, b->at += 4)
		z->recent[i] = (uint32_t)b->at[0] | (uint32_t)b->at[1] << 8 |
			       (uint32_t)b->at[2] << 16 |
			       (uint32_t)b->at[3] << 24;
	b->left -= sizeof(z->recent);
	if (len > b->left)
		return false;
	memcpy(z->to + z->at, b->at, len);
	z->at = end;
	/* blocks begin at a word again */
	len += len % 2 < b->left - len ? len % 2 : 0;
	vo_bits_start(b, b->at + len, b->left - len);
	return true;
}

static bool
block(struct lzx *z)
{
	enum block kind = (enum block)vo_bits_take(&z->b, 3);
	size_t len = vo_bits_take(&z->b, 1) == 1 ? BLOCK
						 : vo_bits_take(&z->b, 16);

	if (vo_bits_overrun(&z->b) || len == 0)
		return false;
	/* the last block of a short chunk may say more than there is */
	len = (size_t)num_min(len, z->to_len - z->at);
	if (kind == UNCOMPRESSED)
		return plain_block(z, z->at + len);
	return (kind == VERBATIM || kind == WITH_ALIGNED) &&
	       coded_block(z, kind, z->at + len);
}

/* ---- calls ---------------------------------------------------------------- */

/* The compressor made targets of x86 calls absolute: back to relative. */
static void
untranslate(uint8_t *to, size_t len)
{
	for (size_t i = 0; len > CALL_BYTES && i < len - CALL_BYTES; i++) {
		uint32_t bits;
		int64_t target;

		if (to[i] != CALL)
			continue;
		bits = (uint32_t)to[i + 1] | (uint32_t)to[i + 2] << 8 |
		       (uint32_t)to[i + 3] << 16 | (uint32_t)to[i + 4] << 24;
		target = (int32_t)bits;
		if (target >= 0 && target < FILE_SIZE)
			target -= (int64_t)i;
		else if (target < 0 && target >= -(int64_t)i)
			target += FILE_SIZE;
		num_put_u32le(to + i + 1, (uint32_t)(target & 0xffffffff));
		i += 4;
	}
}

bool
vo_lzx(const uint8_t *from, size_t from_len, uint8_t *to, size_t to_len)
{
	struct lzx z;

	if (to_len > VO_LZX_CHUNK)
		return false;
	z.to = to;
	z.to_len = to_len;
	z.at = 0;
	for (int i = 0; i < 3; i++)
		z.recent[i] = 1;
	memset(z.main_lengths, 0, sizeof(z.main_lengths));
	memset(z.length_lengths, 0, sizeof(z.length_lengths));
	vo_bits_start(&z.b, from, from_len);
	while (z.at < to_len)
		if (!block(&z))
			return false;
	untranslate(to, to_len);
	return !vo_bits_overrun(&z.b);
}
