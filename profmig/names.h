/* names.h - a set of Windows paths, without regard to case
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_NAMES_H
#define PROFMIG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

struct pm_names {
	size_t count, slots;	/* slots: a power of two, or 0 */
	char **slot;		/* owned */
};

#define PM_NAMES_EMPTY { .slot = NULL }
#define PM_NAMES_SCOPED SCOPED(pm_names_done)
void pm_names_done(struct pm_names *n);

/* 1 when it is new, 0 when it was there. */
MUST_CHECK int pm_names_add(struct pm_names *n, const char *path,
			    struct err *e);
bool pm_names_has(const struct pm_names *n, const char *path);

#endif /* PROFMIG_NAMES_H */
