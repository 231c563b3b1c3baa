/* verify.h - is everything in a repository whole?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Without keys: packs, index fragments, manifests and clear lists have their
 * names, signatures fit, and every record that a version needs is there.  With
 * keys also: every chunk of the versions that the key opens decrypts, unpacks,
 * and is what its name says.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "store/repo.h"

struct err;
struct progress;

struct st_verified {
	uint64_t packs, records, bytes;		/* looked at, without keys */
	uint64_t versions, closed;		/* versions; not open to the key */
	uint64_t chunks;			/* read with keys */
	uint64_t faults;
};

/*
 * Look at everything, or at what one version (`only`, else NULL) needs.
 * `fault` is called, from one thread at a time, for each thing that is wrong,
 * with words that name it first.  With `keys`, uses the repository's private key.
 * -1 only if looking itself failed.
 */
MUST_CHECK int st_verify(struct st_repo *r, const struct st_ref *only, bool keys,
			 void (*fault)(void *arg, const char *what), void *arg,
			 struct progress *p, struct st_verified *ret,
			 struct err *e);

#endif /* STORE_VERIFY_H */
