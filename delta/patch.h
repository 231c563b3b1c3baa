/* patch.h - bytes as changes to other bytes that resemble them
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What `--effort max` packs programs with.  A patch is four packed streams,
 * each as length unpacked (4), length packed (4), codec (1) and its bytes:
 *
 *   copies   for each: how far behind the end of the last one its base begins
 *            (zigzag), its length, the number of new bytes that follow
 *   gaps     over all that is copied: bytes that stay, bytes that change, ...
 *   changes  for each byte that changes, what is added to it
 *   bytes    what is new
 *
 * Numbers are LEB128, of at most 32 bits.  docs/FORMAT.md, "Deltas".
 */
#ifndef DELTA_PATCH_H
#define DELTA_PATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct buf;
struct err;
struct st_coder;

/* Append to *out what makes in[0..len) of base; it may be longer than in. */
MUST_CHECK int dl_patch_make(struct st_coder *c, const uint8_t *base,
			     size_t base_len, const uint8_t *in, size_t len,
			     struct buf *out, struct err *e);

/* Make exactly out_len bytes.  ERR_CORRUPT when the patch makes other than so
 * many, or reaches outside of its base. */
MUST_CHECK int dl_patch_apply(struct st_coder *c, const void *patch,
			      size_t patch_len, const uint8_t *base,
			      size_t base_len, uint8_t *out, size_t out_len,
			      struct err *e);

#endif /* DELTA_PATCH_H */
