/* suffix.h - the parts of some bytes that resemble parts of others
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A program that is compiled again is the old one with parts put in and taken
 * out, and with addresses that differ by the same few amounts everywhere.  So
 * what is looked for are long stretches that are alike but for single bytes.
 * The idea is that of C. Percival, "Naive differences of executable code"
 * (2003): exact matches, found in a suffix array, grow in both directions as
 * long as more than half of the bytes they take in are the same.
 */
#ifndef DELTA_SUFFIX_H
#define DELTA_SUFFIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

/* in[at .. at + len) resembles base[from .. from + len). */
struct dl_like {
	uint32_t at, from, len;
};

struct dl_likes {
	struct dl_like *like;	/* owned; by at, and apart */
	size_t count, cap;
};

#define DL_LIKES_EMPTY { .like = NULL }
#define DL_LIKES_SCOPED SCOPED(dl_likes_done)

void dl_likes_done(struct dl_likes *l);

/* Neither length may exceed INT32_MAX; needs 4 bytes of memory for each byte
 * of base. */
MUST_CHECK int dl_likes_find(const uint8_t *base, size_t base_len,
			     const uint8_t *in, size_t len,
			     struct dl_likes *ret, struct err *e);

#endif /* DELTA_SUFFIX_H */
