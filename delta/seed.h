/* seed.h - chunks of a version that disks at hand have already
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A seed is any disk that resembles the version: the image before, a plain
 * file, another line's.  It is cut along its files as import cuts, and what has
 * the name of a chunk that is missing need not travel.
 */
#ifndef DELTA_SEED_H
#define DELTA_SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/cuts.h"
#include "store/id.h"

struct buf;
struct dk;
struct err;
struct fetching;

/* A missing chunk, and where it was found. */
struct dl_seeded {
	struct st_id id;
	bool found;
	uint32_t seed;
	uint64_t object, k;
};

struct dl_seeds {
	struct dk **disk;		/* not owned */
	struct st_cuts *cuts;		/* of each; owned */
	size_t count;
	struct dl_seeded *chunk;	/* by id; owned */
	size_t chunks, cap;
};

#define DL_SEEDS_EMPTY { .disk = NULL }
#define DL_SEEDS_SCOPED SCOPED(dl_seeds_done)

void dl_seeds_done(struct dl_seeds *s);

/* Look through the seeds of a pull for chunks that the repository lacks. */
MUST_CHECK int dl_seeds_look(struct dl_seeds *s, struct fetching *f,
			     struct err *e);

/* Where a chunk was found; NULL when no seed has it. */
const struct dl_seeded *dl_seeds_find(const struct dl_seeds *s,
				      const struct st_id *id);

/* Read it: *out is replaced. */
MUST_CHECK int dl_seeds_read(const struct dl_seeds *s,
			     const struct dl_seeded *at, struct buf *out,
			     struct err *e);

#endif /* DELTA_SEED_H */
