/* take.h - a disk becomes the next version of an image
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_TAKE_H
#define IMGTOOL_TAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"
#include "imgtool/cuts.h"
#include "store/version.h"
#include "store/writer.h"

struct cli_args;
struct cx_key;
struct dk;
struct err;
struct st_repo;

/* How it is taken. */
struct take {
	const char *name;	/* of the image; a new one when there is none */
	const char *parent;	/* NAME:VER; NULL: the version before */
	bool exact, drop_snapshots;	/* cut_disk() */
	const struct take_note {
		const char *key, *value;
	} *note;		/* for the manifest, beside what import notes */
	size_t notes;
};

struct taken {
	struct st_ref ref;
	struct st_version version;
	struct st_writer_stats stats;
};

#define TAKEN_EMPTY { .version = ST_VERSION_EMPTY }
#define TAKEN_SCOPED SCOPED(taken_done)
void taken_done(struct taken *t);

/* The repository of the command line, which must be one that its key can import
 * into.  *key is the caller's, empty before, and must outlive it. */
MUST_CHECK struct st_repo *take_origin(const struct cli_args *a,
				       struct cx_key *key, struct err *e);

/* Store the disk; what is not as usual is told by log_note(). */
MUST_CHECK int take_disk(struct st_repo *r, struct dk *d, const struct take *t,
			 struct taken *ret, struct err *e);

#endif /* IMGTOOL_TAKE_H */
