/* move.h - one person of a bundle on the way to one Windows: who, where to
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Both sides are known here: the folders of the old profile (from its bundle)
 * and of the new one (from the target's own hives), the account over there,
 * and with that what every old path becomes.
 */
#ifndef PROFMIG_MOVE_H
#define PROFMIG_MOVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"
#include "profmig/bundle.h"
#include "profmig/identity.h"
#include "profmig/rewrite.h"
#include "profmig/rules.h"
#include "windows/windows.h"

struct err;

struct pm_move {
	struct pm_bundle *bundle;		/* not owned, nor the next */
	const struct pm_person *who;
	struct wn_install *to;
	struct pm_terms *terms;

	char *name;			/* the account on the target */
	struct wn_sid sid;
	bool new_account;		/* it is being made */
	bool has_profile;		/* it exists there: merge into it */
	struct wn_user user;		/* as if it were in ProfileList; the
					 * strings belong to the move */
	char *folder[WN_FOLDERS];	/* Windows paths over there */
	struct pm_rewrite paths;	/* old paths to new absolute ones */
	struct pm_rewrite links;	/* likewise, with %USERPROFILE% */
};

#define PM_MOVE_EMPTY { .bundle = NULL }
#define PM_MOVE_SCOPED SCOPED(pm_move_done)
void pm_move_done(struct pm_move *m);

/*
 * `as` names the account on the target: NULL for the one that is the same
 * (a domain account by SID, a local one by name).  An account that is not
 * there, and is not to be made, is ERR_NO; a target that is no Windows 7 or
 * later ERR_UNSUPPORTED.
 */
MUST_CHECK int pm_move_make(struct pm_bundle *b, const struct pm_person *who,
			    struct wn_install *to, const char *as,
			    struct pm_terms *terms, struct pm_move *ret,
			    struct err *e);

/* Is this rule for a move from that Windows to this one, for this account? */
bool pm_move_uses(const struct pm_move *m, const struct pm_rule *r);

/* ---- where an item goes ---- */

enum pm_outcome {
	PM_ARRIVES,		/* the same bytes */
	PM_TRANSFORMED,		/* changed as a rule says */
	PM_DROPPED,
};

struct pm_fate {
	const struct pm_item *item;
	enum pm_outcome outcome;
	char *to;		/* Windows path, or NULL when dropped */
	const char *rule;	/* its name */
	char *why;		/* for what is dropped or changed, or NULL */
	enum pm_conflict conflict;
	enum pm_content content;
};

struct pm_fates {
	size_t count;
	struct pm_fate *at;	/* owned; one for each item, same order */
};

#define PM_FATES_EMPTY { .at = NULL }
#define PM_FATES_SCOPED SCOPED(pm_fates_done)
void pm_fates_done(struct pm_fates *f);

MUST_CHECK int pm_place(const struct pm_move *m, struct pm_fates *ret,
			struct err *e);

/* The name without what Windows forbids; the caller frees. */
MUST_CHECK char *pm_clean_name(const char *name, struct err *e);

#endif /* PROFMIG_MOVE_H */
