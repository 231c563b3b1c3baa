/* scratch.h - a guest's writes in memory, gone when the server ends
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For any number of threads.
 */
#ifndef RUNTIME_BLOCK_SCRATCH_H
#define RUNTIME_BLOCK_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;
struct st_image;
struct bd_scratch;

enum { BD_SCRATCH_BLOCK = 4096 };

/* Over `base`, which outlives it; holds at most `max` bytes, and after that is
 * as a full disk is (ENOSPC). */
MUST_CHECK struct bd_scratch *bd_scratch_new(struct st_image *base, uint64_t max,
					     struct err *e);
void bd_scratch_free(struct bd_scratch *const *s);

MUST_CHECK int bd_scratch_read(struct bd_scratch *s, void *buf, size_t len,
			       uint64_t at, struct err *e);
MUST_CHECK int bd_scratch_write(struct bd_scratch *s, const void *buf,
				size_t len, uint64_t at, struct err *e);

#endif /* RUNTIME_BLOCK_SCRATCH_H */
