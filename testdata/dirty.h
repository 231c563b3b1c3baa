/* dirty.h - hives whose last changes are only in their logs
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Format: the regf specification of M. Suhanov, "Format of transaction log
 * files"; the hash is Marvin32 with Windows' seed.
 */
#ifndef TESTDATA_DIRTY_H
#define TESTDATA_DIRTY_H

#include <stdint.h>

struct buf;

/* XP to 7: the primary file as it was, but for its header, and one log with
 * the pages that make it `newer`. */
void dirty_old(const struct buf *was, const struct buf *newer, uint64_t time,
	       struct buf *primary, struct buf *log);

/* 8.1 and later: one entry in each log, which only together make it `newer`. */
void dirty_new(const struct buf *was, const struct buf *newer,
	       struct buf *primary, struct buf *log1, struct buf *log2);

#endif /* TESTDATA_DIRTY_H */
