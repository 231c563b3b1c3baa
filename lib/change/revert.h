/* revert.h - a program's last change set on an image, taken back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * If nothing else happened to the disk since, the transaction is undone, which
 * gives the same bytes again; else the change set is taken back entry by entry,
 * and what somebody changed since stays.
 */
#ifndef CHANGE_REVERT_H
#define CHANGE_REVERT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/scope.h"
#include "change/apply.h"

struct dk;
struct err;

/* What a program's transaction that applies a change set is called; by that
 * name cs_revert_last() knows it again.  The caller frees it. */
MUST_CHECK char *cs_transaction(const char *program, unsigned journal,
				struct err *e);

struct cs_reverting {
	const char *program;			/* "hal-neutral" */
	const char *disk, *format, *state;	/* as the command line says */
	bool dry;				/* only find out */
	/* Open the disk to be written (with `dry`: DK_DRY), when undoing the
	 * last transaction is not enough; both stay arg's. */
	struct cs_target *(*open)(void *arg, struct dk **ret_disk,
				  struct err *e);
	void *arg;
};

struct cs_reverted {
	unsigned journal;	/* the change set's number */
	bool undone;		/* as bytes: done counts nothing */
	struct cs_done done;
	struct buf kept;	/* a line about each thing that stays */
};

#define CS_REVERTED_EMPTY { .journal = 0 }
#define CS_REVERTED_SCOPED SCOPED(cs_reverted_done)
void cs_reverted_done(struct cs_reverted *r);

/* ERR_NO when the image has no change set of that program. */
MUST_CHECK int cs_revert_last(const struct cs_reverting *r,
			      struct cs_reverted *ret, struct err *e);

#endif /* CHANGE_REVERT_H */
