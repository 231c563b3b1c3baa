/* apply.h - opening a delta, and making the new disk of the old one
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_APPLY_H
#define DELTA_APPLY_H

#include "base/attr.h"
#include "base/scope.h"
#include "delta/delta.h"
#include "store/container.h"

struct cx_key;
struct cx_pub;
struct cx_pubs;
struct dk;
struct err;
struct io_new;
struct progress;

/* A delta file, open and trusted. */
struct dl_file {
	char *name;			/* owned */
	struct st_container *c;
	struct dl_delta d;
};

#define DL_FILE_EMPTY { .c = NULL }
#define DL_FILE_SCOPED SCOPED(dl_file_done)

void dl_file_done(struct dl_file *f);

/* Open one with a private key.  *ret_by is the trusted signer, or NULL as
 * st_container_trust() says. */
MUST_CHECK int dl_file_open(const char *path, const struct cx_key *k,
			    const struct cx_pubs *trusted,
			    const struct cx_pub **ret_by, struct dl_file *ret,
			    struct err *e);

/* Bytes that dl_apply() counts. */
uint64_t dl_apply_work(const struct dl_file *f);

/*
 * Write the new disk, made of the old one, into `out`, an empty raw file.  What
 * is kept of the old disk is checked: the first place where it is another than
 * the delta was made from is ERR_UNSAFE.
 */
MUST_CHECK int dl_apply(const struct dl_file *f, struct dk *old,
			struct io_new *out, struct progress *p, struct err *e);

/*
 * Write what changes to `d`, a disk opened with DK_WRITE that is the old one; the
 * caller commits.  All that is kept is checked before the first write.  When the
 * disk holds everything the delta makes already, nothing is written and
 * *ret_already is true.  A delta that changes the size is ERR_UNSUPPORTED.
 */
MUST_CHECK int dl_apply_in_place(const struct dl_file *f, struct dk *d,
				 struct progress *p, bool *ret_already,
				 struct err *e);

/* Working memory of one thread: it keeps the last frame it unpacked. */
struct dl_scratch;

MUST_CHECK struct dl_scratch *dl_scratch_new(struct err *e);
void dl_scratch_free(struct dl_scratch *const *s);

#define DL_SCRATCH_SCOPED SCOPED(dl_scratch_free)

/* The bytes of one unit that is no zeros: *out is replaced. */
MUST_CHECK int dl_unit_make(const struct dl_file *f, const struct dl_unit *u,
			    struct dk *old, struct dl_scratch *scratch,
			    struct buf *out, struct err *e);

#endif /* DELTA_APPLY_H */
