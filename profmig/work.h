/* work.h - one person's migration as a change set
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pm_work_make() decides about every item and every registry value of a person
 * and puts what arrives into a plan (change/plan.h).  A person without a
 * profile there gets one that starts as a copy of the target's Default; one who
 * has a profile gets it merged in.
 *
 * What content a plan names ("alice/file C:\...") is served by pm_fetch(), from
 * the bundle or, where it is made (hives, links), by making it again.
 */
#ifndef PROFMIG_WORK_H
#define PROFMIG_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "change/apply.h"
#include "profmig/move.h"
#include "profmig/names.h"
#include "profmig/settings.h"

struct err;

/* Content that is not in the bundle as it is. */
struct pm_made {
	char *name;		/* as the plan names it */
	uint8_t *at;		/* owned */
	size_t len;
};

/* A file with several names, by the first of them that was planned. */
struct pm_twin {
	uint64_t link_id;
	size_t guest_volume;
	char *path;		/* as the plan has it; owned */
};

struct pm_work {
	struct pm_reader *reader;	/* not owned */
	struct pm_move move;
	struct pm_fates fates;
	struct pm_settings settings;
	struct pm_names there;		/* paths that will be there */
	struct hv_hive *old, *base;	/* the old hive; the one over there */
	struct hv_hive *classes;	/* the old UsrClass.dat, or NULL */
	char *prefix;			/* "alice/", "alice>carol/" */
	size_t mades, made_cap;
	struct pm_made *made;
	uint64_t bytes;			/* of files that arrive */
	size_t twins, twin_cap;
	struct pm_twin *twin;
};

#define PM_WORK_EMPTY { .reader = NULL }
#define PM_WORK_SCOPED SCOPED(pm_work_done)
void pm_work_done(struct pm_work *w);

/* Decide, and wish for it in `plan`.  After the last person come the wishes of
 * pm_accounts_wish(). */
MUST_CHECK int pm_work_make(struct pm_bundle *b, struct pm_reader *reader,
			    const struct pm_person *who,
			    struct wn_install *to, const char *as,
			    struct pm_terms *terms, struct cs_plan *plan,
			    struct pm_work *ret, struct err *e);

/* What a plan's contents come from. */
struct pm_source {
	struct pm_bundle *bundle;
	struct pm_reader *reader;
	struct pm_terms *terms;
	struct wn_install *to;
	size_t works, cap;
	struct pm_work *work;		/* owned */
	const struct pm_item **sorted;	/* owned; of one person, by path */
	const struct pm_person *sorted_for;
};

#define PM_SOURCE_EMPTY { .bundle = NULL }
#define PM_SOURCE_SCOPED SCOPED(pm_source_done)
void pm_source_done(struct pm_source *s);

/* For a plan that was read from a file: decide again about everybody whose
 * contents it names, so that what is made can be made.  Comes before
 * cs_apply(). */
MUST_CHECK int pm_source_prepare(struct pm_source *s,
				 const struct cs_plan *plan, struct err *e);

/* For cs_target_fetch(); arg is a struct pm_source. */
int pm_fetch(void *arg, struct cs_target *t, const struct cs_side *from,
	     cs_sink_fn sink, void *sink_arg, struct err *e);

#endif /* PROFMIG_WORK_H */
