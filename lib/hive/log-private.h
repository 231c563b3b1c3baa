/* log-private.h - the two formats of transaction logs
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HIVE_LOG_PRIVATE_H
#define HIVE_LOG_PRIVATE_H

#include "base/attr.h"
#include "base/cur.h"
#include "hive/hive-private.h"

enum hv_log_kind {
	HV_LOG_ABSENT,		/* empty, as Windows leaves it */
	HV_LOG_INVALID,
	HV_LOG_TORN,		/* its header was being written */
	HV_LOG_DIRT,
	HV_LOG_HVLE,
};

struct hv_log_file {
	const struct hv_log *from;
	enum hv_log_kind kind;
	struct hv_base base;
};

struct hv_logs_read {
	struct hv_base primary;
	struct hv_log_file *file;	/* owned; none is ABSENT */
	size_t count;
	const char *kinds;	/* why none fits, in words */
	uint32_t bins_max;	/* no hive can have grown beyond */
};

/* Sequence numbers wrap: <0, 0, >0 as serial numbers compare. */
int32_t hv_serial_cmp(uint32_t a, uint32_t b);
uint32_t hv_serial_next(uint32_t a);

MUST_CHECK int hv_recovery_grow(struct hv_recovery *r, size_t len,
				struct err *e);

/* ---- HvLE ----------------------------------------------------------------------- */

struct hv_entry {
	uint32_t flags, seq, bins, count;
	struct cur refs, pages;
};

struct hv_applied {
	bool any;
	uint32_t first, last, count, flags, bins;
};

/*
 * The entry at the cursor, which moves behind it: 1; 0 when the log ends there
 * (no entry, or one of an older round); -1 when the entry `want` is damaged.
 */
int hv_entry_read(struct cur *c, uint32_t want, uint32_t bins_max,
		  struct hv_entry *ret);
/* Copy its pages to bins of at least entry.bins bytes. */
void hv_entry_apply(const struct hv_entry *entry, uint8_t *bins);

/* The last sequence number, not before `from`, of an entry with a good head
 * anywhere in the logs; `from` if there is none. */
uint32_t hv_hvle_last(const struct hv_logs_read *l, uint32_t from);
/* The sequence number after the last whole entry of a log. */
uint32_t hv_hvle_end(const struct hv_log_file *f);
/* Does a log hold an entry that is not older than `seq`? */
bool hv_hvle_holds(const struct hv_logs_read *l, uint32_t seq);

/* ---- DIRT ----------------------------------------------------------------------- */

struct hv_dirt {
	struct cur bitmap, sectors;
	uint32_t size;
};

/* The log that belongs to this state of the hive, or NULL. */
const struct hv_log_file *hv_dirt_choose(const struct hv_logs_read *l,
					 const uint8_t *image, size_t len);
/* False when the file ends before its last sector. */
bool hv_dirt_read(const struct hv_log_file *log, struct hv_dirt *ret);
/* Copy its sectors to bins of at least d->size bytes; how many. */
uint32_t hv_dirt_apply(const struct hv_dirt *d, uint8_t *bins);

#endif /* HIVE_LOG_PRIVATE_H */
