/* apply.h - a change set meets an image: compare, apply, prove
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a program uses it:
 *
 *	CS_TARGET_SCOPED struct cs_target *t = cs_target_new(disk, true, e);
 *	p = cs_plan_new("hal-neutral plan", e);
 *	cs_want_...(p, ...);
 *	cs_settle(p, t, e);			// now it can be written as text
 *	cs_apply(p, t, &done, e);		// into the disk's overlay
 *	dk_commit(disk, "hal-neutral apply", e);
 *
 * An image is old or new, never between: cs_apply() compares every entry before
 * it writes the first, and writes into the disk's overlay only; what it wrote
 * is closed, opened again and verified before it returns.  After an error the
 * caller releases the disk without a commit.
 *
 * Each hive is loaded once per command, its logs replayed, and written once.
 */
#ifndef CHANGE_APPLY_H
#define CHANGE_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "change/plan.h"

struct cs_target;
struct dk;
struct err;
struct hv_hive;
struct vo;
struct wn_guest;

/* Takes the next bytes of some content. */
typedef int (*cs_sink_fn)(void *arg, const void *buf, size_t len,
			  struct err *e);

/*
 * Give the whole content of a side that is CS_FROM and not CS_IMAGE, in pieces
 * of any size, to the sink.
 */
typedef int (*cs_fetch_fn)(void *arg, struct cs_target *t,
			   const struct cs_side *from, cs_sink_fn sink,
			   void *sink_arg, struct err *e);

#define CS_TARGET_SCOPED SCOPED(cs_target_free)

/*
 * An image with its volumes open, for writing if `write` (then the disk must be
 * writable).  `disk` must outlive it.
 */
MUST_CHECK struct cs_target *cs_target_new(struct dk *disk, bool write,
					   struct err *e);
void cs_target_free(struct cs_target *const *t);

/* Where content comes from that is not in the image. */
void cs_target_fetch(struct cs_target *t, cs_fetch_fn fetch, void *arg);

/* The guest on it, for finding out what to wish for; belongs to the target.
 * cs_apply() closes it and opens another. */
struct wn_guest *cs_target_guest(struct cs_target *t);

/* The volume with this serial number; none: ERR_UNSAFE, since the plan is for
 * another image. */
MUST_CHECK struct vo *cs_target_volume(struct cs_target *t, uint64_t serial,
				       struct err *e);

/* A hive in it, loaded and replayed once; belongs to the target.  A hive whose
 * logs are gone is ERR_UNSAFE. */
MUST_CHECK struct hv_hive *cs_target_hive(struct cs_target *t, uint64_t serial,
					  const char *path, struct err *e);

/*
 * Compare a plan with the image: fill in what is there now, drop the entries
 * that are fulfilled, and add entries for folders and keys that others need.
 */
MUST_CHECK int cs_settle(struct cs_plan *p, struct cs_target *t, struct err *e);

struct cs_done {
	size_t applied;		/* entries that changed something */
	size_t already;		/* entries that were fulfilled */
	size_t kept;		/* cs_revert(): entries that changed since */
	unsigned journal;	/* number of the journal, 0 without one */
};

/*
 * Apply a settled plan.  An entry whose thing is neither in its old nor in its
 * wanted state is ERR_UNSAFE and nothing is written; if all are fulfilled,
 * nothing is written either.
 */
MUST_CHECK int cs_apply(struct cs_plan *p, struct cs_target *t,
			struct cs_done *ret, struct err *e);

/* What an entry is found to be. */
enum cs_finding { CS_FOUND_OLD, CS_FOUND_WANTED, CS_FOUND_OTHER };

/* Told about each entry that is not fulfilled; return -1 to stop. */
typedef int (*cs_finding_fn)(void *arg, const struct cs_entry *en,
			     enum cs_finding found, struct err *e);

/* Prove each entry: reads everything it names, content too.  0 also when some
 * are not fulfilled: fn (may be NULL) hears of them and *ret counts them. */
MUST_CHECK int cs_verify(struct cs_plan *p, struct cs_target *t,
			 cs_finding_fn fn, void *arg, size_t *ret,
			 struct err *e);

#endif /* CHANGE_APPLY_H */
