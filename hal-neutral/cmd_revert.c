/* cmd_revert.c - hal-neutral revert
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * If nothing else happened to the disk, the transaction is undone, which gives
 * the same bytes again; else the change set is taken back entry by entry.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "change/journal.h"
#include "disk/tx.h"
#include "hal-neutral/cmd.h"

char *
cmd_transaction(unsigned journal, struct err *e)
{
	return mem_fmt(e, "hal-neutral apply, change set %u", journal);
}

/* Was the change set the last thing that happened to the disk, and is what it
 * wrote still there?  Then undo that: 1.  0: no; -1. */
static int
undo(const struct cli_args *a, unsigned journal, struct err *e)
{
	DK_HISTORY_SCOPED struct dk_history h = DK_HISTORY_EMPTY;
	SCOPED_FREE char *what = cmd_transaction(journal, e);
	SCOPED(dk_tx_done) struct dk_tx dry = { .what = NULL };
	SCOPED(dk_tx_done) struct dk_tx done = { .what = NULL };
	struct err changed = ERR_INIT;

	if (what == NULL || dk_history(a->at[0], a->state, &h, e) < 0)
		return -1;
	if (h.count == 0 || h.at[h.count - 1].state != DK_TX_DONE ||
	    strcmp(h.at[h.count - 1].what, what) != 0)
		return 0;
	if (dk_undo(a->at[0], a->format, a->state, true, &dry, &changed) < 0)
		return changed.kind == ERR_UNSAFE ? 0 :
		       err_set(e, changed.kind, "%s", changed.msg);
	if (!a->dry_run &&
	    dk_undo(a->at[0], a->format, a->state, false, &done, e) < 0)
		return -1;
	return 1;
}

static int
stays(void *arg, const struct cs_entry *en, enum cs_finding found,
      struct err *e)
{
	SCOPED_FREE char *name = cs_entry_name(en, e);
	char quoted[512];

	(void)arg;
	(void)found;
	if (name == NULL)
		return -1;
	log_warn("%s: changed since, and stays",
		 err_quote(quoted, sizeof(quoted), name, strlen(name)));
	return 0;
}

static int
take_back(const struct cli_args *a, struct cs_plan *p, const char *dir,
	  struct err *e)
{
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	struct cs_done done;

	if (session_open(a, a->at[0], a->dry_run ? DK_DRY : DK_WRITE, &s,
			 e) < 0)
		return -1;
	if (cs_revert(p, s.target, dir, stays, NULL, &done, e) < 0)
		return err_ctx(e, "%s", a->at[0]);
	if (done.applied > 0 && !a->dry_run &&
	    dk_commit(s.disk, "hal-neutral revert", e) < 0)
		return -1;
	(void)printf("%s: %zu changes %s, %zu were so already, %zu stay\n",
		     a->at[0], done.applied,
		     a->dry_run ? "would be taken back" : "taken back",
		     done.already, done.kept);
	return 0;
}

static int
revert(const struct cli_args *a, struct err *e)
{
	SCOPED_FREE char *dir = cs_journal_dir(a->at[0], a->state, e);
	CS_PLAN_SCOPED struct cs_plan *p = NULL;
	unsigned journal;
	int r;

	r = dir == NULL ? -1 : cs_journal_last(dir, "hal-neutral", &journal, &p,
					       e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NO, "%s: no change set of hal-neutral is "
			       "known here", a->at[0]);
	r = undo(a, journal, e);
	if (r < 0 || (r == 0 && take_back(a, p, dir, e) < 0))
		return -1;
	if (r == 1)
		(void)printf("%s: %s as it was before change set %u\n",
			     a->at[0], a->dry_run ? "would be" : "is", journal);
	return a->dry_run ? 0 : cs_journal_drop(dir, journal, e);
}

const struct cli_cmd cmd_revert = {
	.name = "revert", .operands = "DISK",
	.help = "take back the last change set",
	.common = CMD_DISK | CLI_DRY_RUN, .min_operands = 1, .max_operands = 1,
	.run = revert,
};
