/* make.h - finding what differs between two disks, and packing it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_MAKE_H
#define DELTA_MAKE_H

#include "base/attr.h"
#include "delta/delta.h"

struct dk;
struct dl_files;
struct dl_shares;
struct err;
struct progress;
struct st_container_new;

/* What packing may cost. */
enum dl_effort { DL_FAST, DL_DEFAULT, DL_MAX };

/* What differs: places of the new disk, ascending and apart. */
struct dl_changes {
	struct dl_extent *at;		/* owned */
	size_t count, cap;
};

#define DL_CHANGES_EMPTY { .at = NULL }
#define DL_CHANGES_SCOPED SCOPED(dl_changes_done)

void dl_changes_done(struct dl_changes *c);

/*
 * Read both disks and compare.  Fills the sizes and the runs of `d`, adds a unit
 * for what becomes zeros, and *ret for all else that changes.  `p` counts
 * bytes of the larger disk.  `same`, a bit for each DL_BLOCK of the disks, lowest
 * first, tells where they are known to be alike, so that one need not be read;
 * NULL: nothing is known.
 */
MUST_CHECK int dl_compare(struct dk *old, struct dk *new, const uint8_t *same,
			  struct dl_delta *d, struct dl_changes *ret,
			  struct progress *p, struct err *e);

/*
 * Make units of the changes, each with the bytes of the old disk that it will
 * likely resemble: the same file's, or those around the same place.  The files
 * of either disk may be unknown.  Notes in *shares whose bytes they are.
 */
MUST_CHECK int dl_group(const struct dl_changes *c, const struct dl_files *old,
			const struct dl_files *new, enum dl_effort effort,
			struct dl_delta *d, struct dl_shares *shares,
			struct err *e);

/* Pack the units' data into frames of the container.  `p` counts bytes. */
MUST_CHECK int dl_pack(struct dk *old, struct dk *new, struct dl_delta *d,
		       enum dl_effort effort, struct st_container_new *out,
		       struct progress *p, struct err *e);

#endif /* DELTA_MAKE_H */
