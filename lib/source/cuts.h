/* cuts.h - how import cuts a disk, and what it leaves out
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SOURCE_CUTS_H
#define SOURCE_CUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "store/cuts.h"

struct dk;
struct err;
struct st_version;

/* Gets one line at a time. */
typedef void (*src_tell_fn)(const char *text);

/* Bytes that are taken as zeros (or, the log, as 0xFF) though the disk has
 * something else there, perhaps. */
struct src_left {
	uint64_t free, page, hibernation, behind, log, snapshots;
};

/*
 * Cut the disk along the files of its NTFS volumes, and by grids where there
 * are none.  Unless `exact`, what no file needs is left out; a volume that was
 * not shut down is taken exactly, and one with shadow copies keeps its free
 * clusters unless `drop_snapshots`.  What is not as usual is told to `tell`, unless
 * it is NULL.
 */
MUST_CHECK int src_cut_disk(struct dk *d, bool exact, bool drop_snapshots,
			    src_tell_fn tell, struct st_cuts *ret,
			    struct src_left *ret_left, struct err *e);

/* "free space 1.2 MiB, page file 64.0 MiB", or "" ; the caller frees. */
MUST_CHECK char *src_left_text(const struct src_left *l, struct err *e);

/* Note it with the version, and whether anything was left out. */
MUST_CHECK int src_left_note(const struct src_left *l, struct st_version *v,
			     struct err *e);

#endif /* SOURCE_CUTS_H */
