/* check.h - what a finished migration must hold besides its items
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_CHECK_H
#define PROFMIG_CHECK_H

#include "base/attr.h"
#include "profmig/work.h"

struct err;

/* Told about each thing that is wrong; return -1 to stop. */
typedef int (*pm_wrong_fn)(void *arg, const char *what, struct err *e);

/* Would Windows load the profile, and is no path of the old one left in its
 * hive?  *ret counts what is wrong. */
MUST_CHECK int pm_check(const struct pm_work *w, pm_wrong_fn fn, void *arg,
			size_t *ret, struct err *e);

/* Would Windows load the profile on this installation, the target as it is now?
 * 1; 0 with *ret_why, which the caller frees; -1. */
MUST_CHECK int pm_check_logon(struct wn_install *in, const struct pm_work *w,
			      char **ret_why, struct err *e);

#endif /* PROFMIG_CHECK_H */
