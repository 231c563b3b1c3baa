/* take.h - a disk becomes the next version of an image
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SOURCE_TAKE_H
#define SOURCE_TAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/scope.h"
#include "source/cuts.h"
#include "store/version.h"
#include "store/writer.h"

struct cli_args;
struct cx_key;
struct dk;
struct err;
struct st_repo;

/* How it is taken. */
struct src_take {
	const char *name;	/* of the image; a new one when there is none */
	const char *parent;	/* NAME:VER; NULL: the version before */
	bool exact, drop_snapshots;	/* src_cut_disk() */
	const struct src_note {
		const char *key, *value;
	} *note;		/* for the manifest, beside what import notes */
	size_t notes;
	src_tell_fn tell;	/* what is not as usual; NULL: nobody */
};

struct src_taken {
	struct st_ref ref;
	struct st_version version;
	struct st_writer_stats stats;
};

#define SRC_TAKEN_EMPTY { .version = ST_VERSION_EMPTY }
#define SRC_TAKEN_SCOPED SCOPED(src_taken_done)
void src_taken_done(struct src_taken *t);

/* The repository of the command line, which must be one that its key can import
 * into.  *key is the caller's, empty before, and must outlive it. */
MUST_CHECK struct st_repo *src_origin(const struct cli_args *a,
				       struct cx_key *key, struct err *e);

/* Store the disk.  Of what was written over a stored version of this repository
 * only the changes are read, and what the cuts need to know. */
MUST_CHECK int src_take_disk(struct st_repo *r, struct dk *d, const struct src_take *t,
			 struct src_taken *ret, struct err *e);

#endif /* SOURCE_TAKE_H */
