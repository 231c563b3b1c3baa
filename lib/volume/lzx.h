/* lzx.h - LZX as CompactOS and WIM files use it: one chunk decompressed
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * [MS-PATCH] "LZX DELTA" describes the codes, blocks and repeated offsets.  This
 * variant (wimlib, "lzx_decompress.c") starts anew with each chunk, has a bit for
 * blocks of 32 KiB in place of a length, and calls' targets are always translated,
 * as for a file of 12,000,000 bytes.
 */
#ifndef VOLUME_LZX_H
#define VOLUME_LZX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { VO_LZX_CHUNK = 32 << 10 };	/* the window and the longest chunk */

/* All of to[0..to_len), at most VO_LZX_CHUNK, from from[0..from_len).  False: it
 * makes no sense, and what is in `to` neither. */
MUST_CHECK bool vo_lzx(const uint8_t *from, size_t from_len, uint8_t *to,
		       size_t to_len);

#endif /* VOLUME_LZX_H */
