/* identity.h - whose profile it becomes: the list of names, accounts to be made
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A domain account is the same on both sides.  A local one becomes the target's
 * account of that name, the one that --as or --map names, or, when the caller
 * wants that, one that is made (windows/sam.h).  Every SID of the old side that
 * has another one over there is translated wherever it stands: in descriptors,
 * in registry data, in names of keys and files.
 */
#ifndef PROFMIG_IDENTITY_H
#define PROFMIG_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"
#include "profmig/bundle.h"
#include "profmig/rules.h"
#include "windows/sam.h"
#include "windows/sd.h"

struct buf;
struct cs_plan;
struct err;
struct pm_move;

enum { PM_MAP_MAX = 1000000, PM_MAP_BYTES = 256 << 20 };

/* OLD,NEW: names, SIDs, or a domain's SIDs. */
struct pm_pair {
	char *from, *to;		/* owned */
	struct wn_sid from_sid, to_sid;	/* len 0: it is a name */
};

/* What a migration goes by. */
struct pm_terms {
	struct pm_rules rules;
	bool create;		/* make local accounts that are missing */
	size_t pairs, cap;
	struct pm_pair *pair;	/* owned */
	struct wn_sam *sam;	/* with the accounts made so far, or NULL */
};

#define PM_TERMS_EMPTY { .create = false }
#define PM_TERMS_SCOPED SCOPED(pm_terms_done)
void pm_terms_done(struct pm_terms *t);

/* A file of lines OLD,NEW; empty ones and those that begin with # say nothing.
 * What is wrong is ERR_USAGE with its line. */
MUST_CHECK int pm_map_load(struct pm_terms *t, const char *path,
			   struct err *e);
MUST_CHECK int pm_map_parse(struct pm_terms *t, const char *name,
			    const char *text, struct err *e);

/* Whom the list makes of a person ("alice", "CORP\alice" or the SID), or
 * NULL. */
const char *pm_map_find(const struct pm_terms *t, const struct pm_bundle *b,
			const struct pm_person *p);

/* Make an account on the target, in memory; *ret is its SID. */
MUST_CHECK int pm_account_make(struct pm_terms *t, struct wn_install *to,
			       const char *name, struct wn_sid *ret,
			       struct err *e);

/* Wish for all that were made. */
MUST_CHECK int pm_accounts_wish(const struct pm_terms *t,
				const struct wn_install *to,
				struct cs_plan *plan, struct err *e);

/* ---- SIDs ---- */

/* The SID that stands for an old one; false: it is not known to have one. */
bool pm_sid(const struct pm_move *m, const struct wn_sid *old,
	    struct wn_sid *ret);

/* Translate a descriptor; accounts that are not known over there lose their
 * entries, and an unknown owner becomes the person. */
MUST_CHECK int pm_sd_translate(const struct pm_move *m, struct wn_sd *sd,
			       struct err *e);

/* SIDs written out in a text; *ret_hits counts those that changed. */
MUST_CHECK int pm_sid_text(const struct pm_move *m, const char *text,
			   struct buf *out, size_t *ret_hits, struct err *e);

/* SIDs in binary data, in place; how many changed. */
size_t pm_sid_bytes(const struct pm_move *m, uint8_t *at, size_t len);

#endif /* PROFMIG_IDENTITY_H */
