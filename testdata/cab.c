/* cab.c - a cabinet with stored files
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * [MS-CAB] 2: CFHEADER, one CFFOLDER, CFFILEs, CFDATA blocks.
 */
#include "testdata/pe.h"

#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/scope.h"

enum { BLOCK = 32768, DATE = 28 << 9 | 4 << 5 | 14, ARCHIVE = 0x20 };

static uint32_t
cab_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	size_t i = 0;
	uint32_t last = 0;

	for (; i + 4 <= n; i += 4)
		sum ^= (uint32_t)p[i] | (uint32_t)p[i + 1] << 8 |
		       (uint32_t)p[i + 2] << 16 | (uint32_t)p[i + 3] << 24;
	for (; i < n; i++)
		last = last << 8 | p[i];
	return sum ^ last;
}

static void
put_blocks(struct buf *b, const struct buf *all)
{
	for (size_t at = 0; at < all->len; at += BLOCK) {
		size_t n = all->len - at < BLOCK ? all->len - at : BLOCK;
		uint8_t sizes[4];

		num_put_u16le(sizes, (uint16_t)n);
		num_put_u16le(sizes + 2, (uint16_t)n);
		buf_u32le(b, cab_sum(sizes, 4, cab_sum(all->at + at, n, 0)));
		buf_bytes(b, sizes, 4);
		buf_bytes(b, all->at + at, n);
	}
}

void
cab_put(struct buf *out, const struct cab_file *files, size_t count)
{
	BUF_SCOPED struct buf b = BUF_EMPTY, all = BUF_EMPTY;
	size_t first = 36 + 8;
	uint32_t at = 0;

	for (size_t i = 0; i < count; i++) {
		buf_bytes(&all, files[i].data, files[i].len);
		first += 16 + strlen(files[i].name) + 1;
	}
	buf_str(&b, "MSCF");
	buf_zeros(&b, 12);
	buf_u32le(&b, 36 + 8);
	buf_u32le(&b, 0);
	buf_u16le(&b, 0x0103);
	buf_u16le(&b, 1);
	buf_u16le(&b, (uint16_t)count);
	buf_zeros(&b, 6);
	buf_u32le(&b, (uint32_t)first);
	buf_u16le(&b, (uint16_t)((all.len + BLOCK - 1) / BLOCK));
	buf_u16le(&b, 0);	/* stored */
	for (size_t i = 0; i < count; i++) {
		buf_u32le(&b, (uint32_t)files[i].len);
		buf_u32le(&b, at);
		buf_u16le(&b, 0);
		buf_u16le(&b, DATE);
		buf_u16le(&b, 0);
		buf_u16le(&b, ARCHIVE);
		buf_bytes(&b, files[i].name, strlen(files[i].name) + 1);
		at += (uint32_t)files[i].len;
	}
	put_blocks(&b, &all);
	if (!b.bad && !all.bad)
		num_put_u32le(b.at + 8, (uint32_t)b.len);
	buf_bytes(out, b.at, b.len);
}
