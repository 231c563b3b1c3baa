/* push.h - versions of an origin onto a mirror
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Objects first, then the release that names them, then snapshot and timestamp:
 * until the last is there, clients see what they saw before.  What an
 * interruption leaves over is found by the next push and not sent again.
 */
#ifndef DELTA_PUSH_H
#define DELTA_PUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "delta/trust.h"
#include "store/repo.h"

struct dl_remote;
struct err;

/* What became of a version. */
enum dl_pushed {
	DL_PUSHED,
	DL_PUSHED_DELTA,	/* and a delta to it */
	DL_PUSHED_BEFORE,	/* it was there */
};

struct dl_push {
	struct st_repo *repo;		/* an origin, unlocked by an administrator */
	struct dl_remote *remote;
	struct dl_trust trust;
	char **version;			/* NAME[:VER] */
	size_t versions;
	bool back;			/* clients may go back to them */
	bool unproven;			/* though platforms are not proven */
	void (*tell)(const struct st_ref *ref, enum dl_pushed what);
};

/*
 * Push.  *ret_present is false when the key may not sign a snapshot and
 * timestamp, so that clients see nothing of it before dl_refresh().  ERR_AUTH:
 * the key holds no role; ERR_UNSAFE: of another origin, or not proven.
 */
MUST_CHECK int dl_push(const struct dl_push *p, bool *ret_present,
		       struct err *e);

/*
 * Make the last release the present one, if it is not yet, and sign a new
 * timestamp; with trust.root a new root is published first.  Needs the keys of
 * snapshot and timestamp, the first only if there is a new release or the
 * snapshot has not long to go.  *ret_release is its number.
 */
MUST_CHECK int dl_refresh(struct dl_remote *r, const struct dl_trust *t,
			  const struct cx_key *k, uint64_t *ret_release,
			  struct err *e);

#endif /* DELTA_PUSH_H */
