/* over.h - a stored version with what was written over it, as one disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SOURCE_OVER_H
#define SOURCE_OVER_H

#include "base/attr.h"

struct cx_key;
struct dk;
struct err;
struct st_repo;

/*
 * NAME:VER of an unlocked repository, which must outlive the disk, as changed by
 * a writable layer (a directory) or a qcow2 overlay (a file, whatever it says its
 * backing file is).  Of the overlay only what it holds is read.  The overlay must be of
 * the version's size and not in use (ERR_UNSAFE).
 */
MUST_CHECK struct dk *src_over(struct st_repo *r, const char *version,
			       const char *overlay, const struct cx_key *k,
			       struct err *e);

#endif /* SOURCE_OVER_H */
