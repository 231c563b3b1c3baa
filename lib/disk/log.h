/* log.h - one transaction's log file: its head and where its bytes lie
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The format is in docs/FORMAT.md, "Disk transactions".
 */
#ifndef DISK_LOG_H
#define DISK_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/scope.h"
#include "disk/tx.h"

struct buf;
struct err;

enum {
	DK_LOG_EXTENT = 1 << 20,	/* the longest extent, bytes */
	DK_LOG_COUNT = 1 << 22,		/* extents of one log */
	DK_LOG_WHAT = 4096,		/* bytes of the line for the history */
	DK_LOG_FIXED = 96,		/* bytes before that line */
	DK_LOG_ENTRY = 80,		/* bytes of an extent in the table */
	DK_LOG_SECTOR = 512,		/* what a check covers */
	DK_LOG_CHECK = 8,		/* bytes of a sector's check */
};

struct dk_log_extent {
	uint64_t at;
	uint32_t len;
	uint8_t old_hash[HASH_BYTES];	/* of its old bytes */
	uint8_t new_hash[HASH_BYTES];	/* of the checks of its new sectors */
	uint64_t bytes_at;	/* of its old bytes in their area */
	uint64_t checks_at;	/* of its checks in theirs */
};

struct dk_log {
	struct dk_tx tx;
	uint64_t disk_size;
	size_t count;
	struct dk_log_extent *at;	/* owned; ascending, disjoint */
	uint64_t old_area, check_area, end;	/* offsets in the file */
};

#define DK_LOG_EMPTY { .at = NULL }
#define DK_LOG_SCOPED SCOPED(dk_log_done)

/* The length of a head, from its first DK_LOG_FIXED bytes. */
MUST_CHECK int dk_log_head_len(const void *fixed, size_t *ret, struct err *e);

/* A head, whole.  tx.state is left alone: the file's name says it. */
MUST_CHECK int dk_log_parse(const void *head, size_t len, struct dk_log *ret,
			    struct err *e);

/* The head that says what is in *log. */
MUST_CHECK int dk_log_encode(const struct dk_log *log, struct buf *out,
			     struct err *e);

/* Fill in where everything lies; ERR_UNSUPPORTED when there is too much. */
MUST_CHECK int dk_log_place(struct dk_log *log, struct err *e);

void dk_log_done(struct dk_log *log);

#endif /* DISK_LOG_H */
