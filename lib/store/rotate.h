/* rotate.h - a new image key for what follows
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef STORE_ROTATE_H
#define STORE_ROTATE_H

#include "base/attr.h"

struct cx_pubs;
struct err;
struct progress;
struct st_ref;
struct st_repo;

/*
 * Administrators: make the next version of NAME, of the same disk as the newest
 * one, with maps and manifest under a new key, sealed to the administrators and to
 * `to` alone.  Versions after it continue with that key.  Chunks are not stored
 * again, and their keys stay as they are: who had the old key reads on what it
 * could read before, which includes the parts of later versions that are in no
 * way new; it gets neither their maps nor the keys of new chunks.
 */
MUST_CHECK int st_rotate(struct st_repo *r, const char *name,
			 const struct cx_pubs *to, struct progress *p,
			 struct st_ref *ret, struct err *e);

#endif /* STORE_ROTATE_H */
