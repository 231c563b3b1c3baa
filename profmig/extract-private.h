/* extract-private.h - what the parts of the extraction share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_EXTRACT_PRIVATE_H
#define PROFMIG_EXTRACT_PRIVATE_H

#include "profmig/extract.h"

/* A walk through one volume on behalf of one person. */
struct pm_walk {
	const struct pm_extract *x;
	struct pm_writer *w;
	struct pm_bundle *b;
	size_t person;		/* index: the array may move */
	struct vo *vo;
	size_t volume;
	char drive[4];		/* "C:" */
	uint32_t flags;		/* PM_ITEM_... of what it finds */
	const char *profile;	/* volume path; what is excluded is below it */
	enum pm_outside outside;
};

/* Why a file of a profile is never carried over, or NULL.  `path` is relative
 * to the profile, with forward slashes. */
const char *pm_never(const char *path);

/* Is it a document by its name (USMT's list)? */
bool pm_is_document(const char *name);

MUST_CHECK int pm_lose(struct pm_walk *k, enum pm_loss_kind kind,
		       const char *path, const char *why, uint64_t bytes,
		       struct err *e);

/* One file, folder or reparse point with all it has. */
MUST_CHECK int pm_take(struct pm_walk *k, const char *path,
		       const struct vo_entry *entry, struct err *e);

/* What lies outside the profiles. */
MUST_CHECK int pm_take_outside(struct pm_walk *k, struct err *e);

/* What the person put into the folders that people share. */
MUST_CHECK int pm_take_public(struct pm_walk *k, struct err *e);

#endif /* PROFMIG_EXTRACT_PRIVATE_H */
