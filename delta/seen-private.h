/* seen-private.h - keeping what was seen, for trust.c
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_SEEN_PRIVATE_H
#define DELTA_SEEN_PRIVATE_H

#include "base/attr.h"
#include "delta/trust.h"

struct err;

/* Write it into the state folder, on stable storage. */
MUST_CHECK int dl_seen_save(const char *state, const struct dl_seen *s,
			    struct err *e);

#endif /* DELTA_SEEN_PRIVATE_H */
