/* gc.h - space that no version needs is given back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is needed is what the clear lists of all versions say, so this opens no
 * image; it signs lists anew where records move.  Packs of which less than half
 * is needed are written again without the rest.  Old packs go last, and only
 * while nobody reads; otherwise the next run removes them.  At every moment all
 * versions are whole; what an interruption leaves over, the next run finds.
 */
#ifndef STORE_GC_H
#define STORE_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct err;
struct progress;
struct st_repo;

struct st_gc {
	uint64_t packs;			/* there before */
	uint64_t dead, rewritten;	/* not needed at all; needed in part */
	uint64_t freed;			/* bytes that went, or would go */
	uint64_t manifests, lines;	/* of versions that were removed */
	bool postponed;			/* somebody reads: old packs stay */
};

/*
 * Needs the writer's lock and an unlocked key.  ERR_CORRUPT, and nothing is
 * changed, when a version's clear list or a pack is missing.  `dry`: only count.
 */
MUST_CHECK int st_gc(struct st_repo *r, bool dry, struct progress *p,
		     struct st_gc *ret, struct err *e);

#endif /* STORE_GC_H */
