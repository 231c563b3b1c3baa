/* mirror.h - the signed side of a mirror, for those who change it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_MIRROR_H
#define DELTA_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "delta/trust.h"

struct cx_key;
struct dl_remote;
struct err;
struct progress;

/* A mirror as its last push left it. */
struct dl_mirror {
	struct dl_remote *remote;	/* not owned */
	struct dl_seen seen;
	bool there;			/* something was pushed before */
	struct dl_release release;	/* the last one, present or not */
	struct cx_pin pin;		/* of it; number 0: there is none */
	bool pending;			/* no snapshot names it yet */
};

#define DL_MIRROR_EMPTY { .seen = DL_SEEN_EMPTY }
#define DL_MIRROR_SCOPED SCOPED(dl_mirror_done)

void dl_mirror_done(struct dl_mirror *m);

/*
 * Look at a mirror that is to be changed; that its metadata has expired is no
 * hindrance.  Of one where nothing is yet, `domain` says whose it will be; NULL:
 * ERR_NO.  A root that t->root names is published where it is the next.
 */
MUST_CHECK int dl_mirror_open(struct dl_mirror *m, struct dl_remote *r,
			      const struct dl_trust *t,
			      const uint8_t *domain, struct err *e);

/* Does this key hold a role there? */
bool dl_mirror_holds(const struct dl_mirror *m, enum cx_role role,
		     const struct cx_key *k);

/* Sign m->release as the next one; nobody is told of it yet. */
MUST_CHECK int dl_mirror_put_release(struct dl_mirror *m,
				     const struct cx_key *k, struct err *e);

/* Make the last release the present one: snapshot, if there is need or the key
 * may, and timestamp. */
MUST_CHECK int dl_mirror_present(struct dl_mirror *m, const struct cx_key *k,
				 struct err *e);

/* What a look at a whole mirror found. */
struct dl_looked {
	uint64_t release;		/* its number */
	uint64_t versions, packs, deltas;
};

/*
 * Check everything in the directory of a mirror, without a key: from the root
 * that t->root names, or else its own first, the roles' signatures, and by them
 * every object that the release leads to.  That it has expired is no fault.
 * The first fault is ERR_AUTH or ERR_CORRUPT.  `p` counts bytes.
 */
MUST_CHECK int dl_mirror_verify(const char *dir, const struct dl_trust *t,
				struct progress *p, struct dl_looked *ret,
				struct err *e);

#endif /* DELTA_MIRROR_H */
