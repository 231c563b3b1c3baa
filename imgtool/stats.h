/* stats.h - what the versions of a repository take, for cmd_stats and its page
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_STATS_H
#define IMGTOOL_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "store/repo.h"

struct buf;

/* A version that our key opens; bytes. */
struct stats_row {
	struct st_ref ref;
	uint64_t created;	/* seconds since 1970 */
	uint64_t size;		/* of the disk */
	uint64_t data;		/* of it, not zeros */
	uint64_t added;		/* of that, not stored before */
	uint64_t stored;	/* what that took */
};

struct stats {
	struct stats_row *at;	/* by image and number */
	size_t count, cap;
	size_t closed;		/* versions that our key does not open */
	struct stats_row sum;
	uint64_t packs, pack_bytes;
};

/* How many times b goes into a; 0 where b is 0. */
double stats_times(uint64_t a, uint64_t b);

/* The page, self-contained: no script, no link. */
void stats_page(const struct stats *s, struct buf *out);

#endif /* IMGTOOL_STATS_H */
