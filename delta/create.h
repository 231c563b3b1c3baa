/* create.h - a delta, from comparing two disks to the file
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_CREATE_H
#define DELTA_CREATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "delta/make.h"

struct cx_key;
struct cx_pubs;
struct dk;
struct err;
struct st_repo;

/* What to make a delta of. */
struct dl_new {
	struct dk *old, *new;
	const char *old_name, *new_name;
	enum dl_effort effort;
	/* Both are versions of this repository, which keeps the result as one;
	 * NULL: they are disks. */
	struct st_repo *stored_in;
	bool from_nothing;		/* there is no old version */
	const struct cx_pubs *to;
	const struct cx_key *signer;	/* NULL: nobody signs it */
};

/* What became of it, in bytes of the new disk. */
struct dl_created {
	uint64_t changed, zeroed;
};

/* Write it to `path`. */
MUST_CHECK int dl_create(const struct dl_new *n, const char *path,
			 struct dl_created *ret, struct err *e);

#endif /* DELTA_CREATE_H */
