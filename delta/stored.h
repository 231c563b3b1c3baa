/* stored.h - deltas between versions of a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_STORED_H
#define DELTA_STORED_H

#include "base/attr.h"
#include "delta/apply.h"
#include "delta/delta.h"
#include "store/id.h"

struct err;
struct progress;
struct st_container_new;
struct st_ref;
struct st_repo;

/*
 * Add to a delta what a repository needs to keep the result as the version
 * `new`: after dl_pack(), into the same container.  `old` is NULL for a delta
 * from nothing.  The repository must be unlocked.
 */
MUST_CHECK int dl_stored_add(struct st_repo *r, const char *old,
			     const char *new, struct dl_delta *d,
			     struct st_container_new *out, struct err *e);

/*
 * Where two versions of a repository are alike because their maps share segments:
 * a bit for each DL_BLOCK, lowest first; the caller frees *ret.  NULL when their
 * sizes differ.
 */
MUST_CHECK int dl_stored_same(struct st_repo *r, const char *old,
			      const char *new, uint8_t **ret, struct err *e);

/*
 * Make the new version in a repository that has the old one (ERR_UNSAFE when it
 * does not).  *ret names it; *ret_new is false when it was there already.  A
 * delta between disks is ERR_USAGE.  `p` counts bytes of new chunks.
 */
MUST_CHECK int dl_stored_apply(const struct dl_file *f, struct st_repo *r,
			       struct progress *p, struct st_ref *ret,
			       bool *ret_new, struct err *e);

/* The ref whose version has this manifest: 1 found, 0 there is none. */
MUST_CHECK int dl_stored_find(struct st_repo *r, const uint8_t id[ST_ID_BYTES],
			      struct st_ref *ret, struct err *e);

#endif /* DELTA_STORED_H */
