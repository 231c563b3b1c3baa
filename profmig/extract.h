/* extract.h - people's profiles out of a disk, into a bundle
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_EXTRACT_H
#define PROFMIG_EXTRACT_H

#include <stddef.h>

#include "base/attr.h"
#include "profmig/bundle.h"
#include "windows/windows.h"

struct err;
struct progress;

/* What people keep outside their profiles, on every volume of the disk. */
enum pm_outside {
	PM_OUTSIDE_DOCS,	/* files that are documents by their suffix */
	PM_OUTSIDE_ALL,
	PM_OUTSIDE_NONE,
};

/* Told about a person who cannot be extracted; the others are. */
typedef void (*pm_failed_fn)(void *arg, const struct wn_user *u,
			     const struct err *why);

struct pm_extract {
	struct wn_install *in;
	struct wn_user *const *users;
	size_t count;
	enum pm_outside outside;
	uint64_t now;			/* FILETIME to put into the bundle */
	struct progress *progress;	/* counts bytes, or NULL */
	pm_failed_fn failed;
	void *arg;
};

/* Why a profile is not one to migrate, or NULL: it is mandatory, temporary, the
 * folder or the hive is missing. */
const char *pm_oddity(const struct wn_install *in, const struct wn_user *u);

/* Everything into `w`, the catalogue into `ret`.  A person whose hive cannot be
 * read, or has lost its last changes, fails alone; when everybody does, that is
 * the error. */
MUST_CHECK int pm_extract(const struct pm_extract *x, struct pm_writer *w,
			  struct pm_bundle *ret, struct err *e);

#endif /* PROFMIG_EXTRACT_H */
