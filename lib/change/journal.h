/* journal.h - what an applied plan replaced, and how to take it back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Beside an image FILE lies FILE.changes with, for each plan that was applied,
 * NNNN.yaml: the inverse plan (docs/FORMAT.md, "Change sets"), whose contents
 * over CS_INLINE_MAX bytes are files of that directory named by their SHA-256.
 * It is on stable storage before the image changes; a journal whose plan was
 * then not committed finds nothing to take back.
 *
 * Taking back is three-way: what still is as the plan left it becomes what it
 * was before; what somebody changed since stays, and is told.
 */
#ifndef CHANGE_JOURNAL_H
#define CHANGE_JOURNAL_H

#include "base/attr.h"
#include "change/apply.h"

struct err;

/* The directory for an image's journals (--state for devices), which need not
 * be there.  The caller frees. */
MUST_CHECK char *cs_journal_dir(const char *disk, const char *state,
				struct err *e);

/* Let cs_apply() keep a journal there; `dir` must outlive the target. */
void cs_target_journal(struct cs_target *t, const char *dir);

/*
 * The last journal in `dir` whose plan was made by a command of `program`
 * ("hal-neutral"): 1 with its number and plan; 0 when there is none; -1.
 */
MUST_CHECK int cs_journal_last(const char *dir, const char *program,
			       unsigned *ret, struct cs_plan **ret_plan,
			       struct err *e);

/*
 * What a program has to tell about the plan of a journal (at most
 * CS_ACCOUNT_MAX bytes, in a form of its own): kept beside the journal, and
 * removed with it.
 */
enum { CS_ACCOUNT_MAX = 1 << 30 };
MUST_CHECK int cs_journal_tell(const char *dir, unsigned number,
			       const void *text, size_t len, struct err *e);

/* The newest account of a journal whose number is below *number: 1 with that
 * number and the text, which the caller frees; 0 when there is none; -1. */
MUST_CHECK int cs_journal_told(const char *dir, unsigned *number,
			       uint8_t **ret, size_t *ret_len, struct err *e);

/* Remove a journal, and contents that no other one needs. */
MUST_CHECK int cs_journal_drop(const char *dir, unsigned number,
			       struct err *e);

/*
 * Take back what an inverse plan says, its contents from `dir`.  fn (may be
 * NULL) hears of each entry that stays because it changed since; they are
 * counted in ret->kept.  Then comes dk_commit(), then cs_journal_drop().
 */
MUST_CHECK int cs_revert(struct cs_plan *inverse, struct cs_target *t,
			 const char *dir, cs_finding_fn fn, void *arg,
			 struct cs_done *ret, struct err *e);

#endif /* CHANGE_JOURNAL_H */
