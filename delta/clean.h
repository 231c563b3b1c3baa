/* clean.h - a disk without what no file on it needs
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_CLEAN_H
#define DELTA_CLEAN_H

#include "base/attr.h"
#include "source/cuts.h"

struct dk;
struct err;

/*
 * A disk to read, with the bytes that exporting an import of `d` gives: what
 * src_cut_disk() leaves out reads as zeros, or the log of a volume as 0xFF.  It
 * borrows d, which is left open when it is freed.  `tell` gets what is not as usual.
 */
MUST_CHECK struct dk *dl_clean(struct dk *d, src_tell_fn tell,
			       struct src_left *ret_left, struct err *e);

#endif /* DELTA_CLEAN_H */
