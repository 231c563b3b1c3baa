/* programs.h - what is installed on either side
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_PROGRAMS_H
#define PROFMIG_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;
struct wn_install;

struct pm_programs {
	size_t count, cap;
	char **at;		/* owned; as the list of programs shows them */
};

#define PM_PROGRAMS_EMPTY { .at = NULL }
#define PM_PROGRAMS_SCOPED SCOPED(pm_programs_done)
void pm_programs_done(struct pm_programs *p);

MUST_CHECK int pm_programs(struct wn_install *in, struct pm_programs *ret,
			   struct err *e);

/* Is it there, in whatever version?  Numbers and what is in brackets do not
 * count: "Firefox (3.6.28)" is "Firefox 115.1". */
bool pm_programs_have(const struct pm_programs *p, const char *name);

#endif /* PROFMIG_PROGRAMS_H */
