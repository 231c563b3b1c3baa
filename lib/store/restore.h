/* restore.h - a version becomes a raw, sparse file
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include "base/attr.h"

struct err;
struct progress;
struct st_image;

/*
 * Write what is not zeros to the descriptor, at its place; the file must read
 * as zeros before.  Counts bytes of the disk, st_image_size() of them, into p.
 */
MUST_CHECK int st_restore(struct st_image *i, int fd, const char *name,
			  struct progress *p, struct err *e);

#endif /* STORE_RESTORE_H */
