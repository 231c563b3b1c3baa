/* tx.h - what the logs of a disk say: history, undo, recovery
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The format and the order of writes are in docs/FORMAT.md, "Disk
 * transactions".  dk_open() and dk_commit() do the work; this is for the verbs
 * that show and take back.
 */
#ifndef DISK_TX_H
#define DISK_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum dk_tx_state {
	DK_TX_DONE,		/* can be undone */
	DK_TX_UNDOING,		/* a commit or an undo was interrupted: what was
				 * before is to be brought back */
};

struct dk_tx {
	uint64_t number;	/* from 1, in order */
	enum dk_tx_state state;
	uint64_t time;		/* seconds since 1970 */
	uint64_t bytes;		/* of the disk that it changed */
	uint64_t extents;
	char *what;		/* owned */
};

struct dk_history {
	size_t count;
	struct dk_tx *at;	/* owned; oldest first */
};

#define DK_HISTORY_EMPTY { .at = NULL }
#define DK_HISTORY_SCOPED SCOPED(dk_history_done)

/* The folder in which a disk's logs lie: FILE.undo, or one below `state` for a
 * device.  The caller frees it. */
MUST_CHECK char *dk_log_dir(const char *path, const char *state, struct err *e);

/* The transactions of a disk whose logs are still there. */
MUST_CHECK int dk_history(const char *path, const char *state,
			  struct dk_history *ret, struct err *e);
void dk_history_done(struct dk_history *h);

/* Take back the last transaction.  ERR_NO when there is none; ERR_UNSAFE when
 * the disk no longer holds what it wrote.  With `dry`, only check. */
MUST_CHECK int dk_undo(const char *path, const char *format, const char *state,
		       bool dry, struct dk_tx *ret, struct err *e);
void dk_tx_done(struct dk_tx *t);

/*
 * Remove the undo logs.  What was interrupted and is still to be taken back is
 * refused with ERR_UNSAFE, unless `pending` says that the disk was replaced and
 * no longer needs it.
 */
MUST_CHECK int dk_history_drop(const char *path, const char *state,
			       bool pending, size_t *ret_dropped,
			       struct err *e);

#endif /* DISK_TX_H */
