/* jobs.h - the list of a batch: whose profile goes from where to where
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A CSV file whose first line names its columns, or YAML with a list "jobs" of
 * maps with the same keys: computer (the job's name, unique), source, users
 * (separated by ";", empty: all), base (copied to make the target; empty: the
 * target is there), target, as (for one user).
 */
#ifndef PROFMIG_JOBS_H
#define PROFMIG_JOBS_H

#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum { PM_JOBS_MAX = 1000000, PM_JOBS_BYTES = 256 << 20 };

struct pm_job {
	unsigned line;		/* of the file */
	/* owned; "" where nothing is given */
	char *computer, *source, *users, *base, *target, *as;
};

struct pm_jobs {
	size_t count, cap;
	struct pm_job *at;	/* owned */
};

#define PM_JOBS_EMPTY { .at = NULL }
#define PM_JOBS_SCOPED SCOPED(pm_jobs_done)
void pm_jobs_done(struct pm_jobs *j);

/* Read a file: YAML if its name ends so, else CSV.  What is wrong is ERR_USAGE
 * with its line. */
MUST_CHECK int pm_jobs_load(const char *path, struct pm_jobs *ret,
			    struct err *e);

/* The same from text. */
MUST_CHECK int pm_jobs_parse_csv(const char *name, const char *text,
				 struct pm_jobs *ret, struct err *e);
MUST_CHECK int pm_jobs_parse_yaml(const char *name, const void *text,
				  size_t len, struct pm_jobs *ret,
				  struct err *e);

#endif /* PROFMIG_JOBS_H */
