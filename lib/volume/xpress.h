/* xpress.h - XPRESS with Huffman codes: one chunk decompressed
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * [MS-XCA] 2.1 and 2.2, "LZ77+Huffman".
 */
#ifndef VOLUME_XPRESS_H
#define VOLUME_XPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* All of to[0..to_len) from from[0..from_len).  False: it makes no sense, and
 * what is in `to` neither. */
MUST_CHECK bool vo_xpress(const uint8_t *from, size_t from_len, uint8_t *to,
			  size_t to_len);

#endif /* VOLUME_XPRESS_H */
