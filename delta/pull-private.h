/* pull-private.h - one version being pulled
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_PULL_PRIVATE_H
#define DELTA_PULL_PRIVATE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/progress.h"
#include "delta/parts.h"
#include "delta/pull.h"
#include "delta/release.h"
#include "store/index.h"
#include "store/line.h"
#include "store/pack.h"
#include "store/version.h"

struct err;
struct dl_seeds;

/* What a whole pull shares. */
struct pulling {
	const struct dl_pull *p;
	struct dl_seen seen;
	struct dl_release release;
	struct dl_parts parts;
	struct progress progress;
};

/* One version of it. */
struct fetching {
	struct pulling *all;
	const struct dl_line *offer;
	const struct dl_offered *version;
	struct st_line line;		/* its keys */
	struct buf manifest;
	struct st_version parsed;	/* the manifest */
	struct st_index index;		/* of the mirror's packs */
};

/* A small object, whose hash and length the release says: *out is replaced. */
MUST_CHECK int dl_pull_small(struct pulling *all, const char *folder,
			     const struct st_id *name, const char *suffix,
			     const struct dl_object *o, struct buf *out,
			     struct err *e);

/* Get every record of the version that is not here; *s becomes what the seeds
 * have of it. */
MUST_CHECK int dl_pull_records(struct fetching *f, struct dl_seeds *s,
			       struct err *e);

/* Put what came into the repository, and make it the version. */
MUST_CHECK int dl_pull_store(struct fetching *f, const struct dl_seeds *s,
			     struct st_ref *ret, struct err *e);

/* Call fn for each segment of the version's map; its records are here or have
 * come. */
typedef int (*dl_segment_fn)(void *arg, const struct st_map *m, struct err *e);
MUST_CHECK int dl_pull_segments(struct fetching *f, dl_segment_fn fn, void *arg,
				struct err *e);

#endif /* DELTA_PULL_PRIVATE_H */
