/* revert.c - a program's last change set, taken back; see revert.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/revert.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "change/journal.h"
#include "disk/disk.h"
#include "disk/tx.h"

char *
cs_transaction(const char *program, unsigned journal, struct err *e)
{
	return mem_fmt(e, "%s apply, change set %u", program, journal);
}

/* Was the change set the last thing that happened to the disk, and is what it
 * wrote still there?  Then undo that: 1.  0: no; -1. */
static int
undo(const struct cs_reverting *r, unsigned journal, struct err *e)
{
	DK_HISTORY_SCOPED struct dk_history h = DK_HISTORY_EMPTY;
	SCOPED_FREE char *what = cs_transaction(r->program, journal, e);
	SCOPED(dk_tx_done) struct dk_tx dry = { .what = NULL };
	SCOPED(dk_tx_done) struct dk_tx done = { .what = NULL };
	struct err changed = ERR_INIT;

	if (what == NULL || dk_history(r->disk, r->state, &h, e) < 0)
		return -1;
	if (h.count == 0 || h.at[h.count - 1].state != DK_TX_DONE ||
	    strcmp(h.at[h.count - 1].what, what) != 0)
		return 0;
	if (dk_undo(r->disk, r->format, r->state, true, &dry, &changed) < 0)
		return changed.kind == ERR_UNSAFE ? 0 :
		       err_set(e, changed.kind, "%s", changed.msg);
	if (!r->dry &&
	    dk_undo(r->disk, r->format, r->state, false, &done, e) < 0)
		return -1;
	return 1;
}

static int
stays(void *arg, const struct cs_entry *en, enum cs_finding found,
      struct err *e)
{
	struct buf *kept = arg;
	SCOPED_FREE char *name = cs_entry_name(en, e);
	char quoted[512];

	(void)found;
	if (name == NULL)
		return -1;
	buf_fmt(kept, "%s: changed since, and stays\n",
		err_quote(quoted, sizeof(quoted), name, strlen(name)));
	return buf_ok(kept, e);
}

static int
take_back(const struct cs_reverting *r, struct cs_plan *p, const char *dir,
	  struct cs_reverted *ret, struct err *e)
{
	SCOPED_FREE char *what = mem_fmt(e, "%s revert", r->program);
	struct dk *disk;
	struct cs_target *t = what == NULL ? NULL : r->open(r->arg, &disk, e);

	if (t == NULL)
		return -1;
	if (cs_revert(p, t, dir, stays, &ret->kept, &ret->done, e) < 0)
		return err_ctx(e, "%s", r->disk);
	return ret->done.applied == 0 || r->dry ? 0 : dk_commit(disk, what, e);
}

int
cs_revert_last(const struct cs_reverting *r, struct cs_reverted *ret,
	       struct err *e)
{
	SCOPED_FREE char *dir = cs_journal_dir(r->disk, r->state, e);
	CS_PLAN_SCOPED struct cs_plan *p = NULL;
	int found = dir == NULL ? -1 :
		cs_journal_last(dir, r->program, &ret->journal, &p, e);
	int undone;

	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_NO, "%s: no change set of %s is known "
			       "here", r->disk, r->program);
	undone = undo(r, ret->journal, e);
	if (undone < 0 ||
	    (undone == 0 && take_back(r, p, dir, ret, e) < 0))
		return -1;
	ret->undone = undone == 1;
	return r->dry ? 0 : cs_journal_drop(dir, ret->journal, e);
}

void
cs_reverted_done(struct cs_reverted *r)
{
	buf_done(&r->kept);
}
