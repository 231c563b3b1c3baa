/* view.h - the new disk of a delta, read without making it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_VIEW_H
#define DELTA_VIEW_H

#include "base/attr.h"
#include "delta/apply.h"

struct dk;
struct err;

/*
 * The new disk, made piece by piece as it is read of the old one and the delta,
 * which both must outlive it.  What it takes from the old disk unchanged is not
 * checked here: for callers who know the old disk to be right.  Up to 64 MiB of
 * unpacked units are kept.
 */
MUST_CHECK struct dk *dl_view(const struct dl_file *f, struct dk *old,
			      struct err *e);

#endif /* DELTA_VIEW_H */
