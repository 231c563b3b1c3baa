/* pull.h - versions from a mirror into a client's repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Only what is missing travels: a delta where the mirror offers one from a
 * version that is here, else the records that no version here has.  Pieces that
 * arrived are kept in REPO/incoming; the version's ref is the last thing
 * written, so until then nothing has changed for anybody, and after an
 * interruption the next pull goes on where this one was.
 */
#ifndef DELTA_PULL_H
#define DELTA_PULL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "delta/trust.h"
#include "store/repo.h"

struct cli_args;
struct dk;
struct dl_remote;
struct err;

struct dl_pull {
	struct st_repo *repo;		/* a client's, unlocked */
	struct dl_remote *remote;
	struct dl_trust trust;
	char **wanted;			/* NAME or NAME:VER; none: all newest */
	size_t wanteds;
	struct dk **seed;		/* disks that may hold some of it */
	size_t seeds;
	/* Told of each version. */
	void (*tell)(const struct st_ref *ref, bool is_new);
};

/*
 * Pull.  ERR_AUTH: what the mirror offers is not to be trusted, or not for this
 * key; ERR_NO: there is no such version; ERR_UNSAFE: of another origin.
 */
MUST_CHECK int dl_pull(const struct dl_pull *p, struct err *e);

#endif /* DELTA_PULL_H */
