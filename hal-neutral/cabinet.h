/* cabinet.h - files out of a cabinet that lies in memory
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * XP keeps the drivers it did not install in %SystemRoot%\Driver Cache\i386:
 * driver.cab of the product, sp1.cab to sp3.cab of the service packs.
 * libmspack reads them; only this file knows it.
 */
#ifndef HAL_NEUTRAL_CABINET_H
#define HAL_NEUTRAL_CABINET_H

#include <stddef.h>

#include "base/attr.h"

struct buf;
struct err;

/*
 * Append a member, found without regard to case and at most `max` bytes long,
 * to *out: 1; 0 when there is none of that name; -1, ERR_CORRUPT for a broken
 * cabinet.  With out NULL, only look.  `name` is for messages.
 */
MUST_CHECK int hn_cabinet_read(const char *name, const void *at, size_t len,
			       const char *member, size_t max, struct buf *out,
			       struct err *e);

#endif /* HAL_NEUTRAL_CABINET_H */
