/* parts.h - pieces of objects on their way here
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each piece is a file REPO/incoming/OBJECT.AT.LEN that grows as it arrives, so
 * what is there after an interruption is known, and is not fetched again.  What
 * a piece holds is believed only when it was checked: by the object's hash, or
 * record by record.  One process at a time (ERR_UNSAFE).
 */
#ifndef DELTA_PARTS_H
#define DELTA_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "delta/release.h"
#include "store/id.h"

struct buf;
struct dl_remote;
struct err;
struct progress;

struct dl_part {
	struct st_id id;	/* of the object */
	uint64_t at, len;	/* bytes [at, at + len) of it */
	uint64_t have;		/* that are here */
	bool wanted;		/* to be fetched */
	int fd;			/* while it grows */
};

struct dl_parts {
	char *dir;		/* owned */
	int lock;
	struct dl_part *at;	/* owned; by object and place */
	size_t count, cap;
	bool inherited;		/* some were here before */
};

#define DL_PARTS_EMPTY { .lock = -1 }
#define DL_PARTS_SCOPED SCOPED(dl_parts_done)

void dl_parts_done(struct dl_parts *p);

/* Open the folder of a repository, made if need be, and see what is there. */
MUST_CHECK int dl_parts_open(struct dl_parts *p, const char *repo,
			     struct err *e);

/* Have these bytes of an object fetched, unless pieces cover them; if part of
 * them does, they are wanted as they are. */
MUST_CHECK int dl_parts_want(struct dl_parts *p, const struct st_id *id,
			     uint64_t at, uint64_t len, struct err *e);

/* Is there any piece of this object? */
bool dl_parts_any(const struct dl_parts *p, const struct st_id *id);

/* Does a piece hold this byte of it, or will it? */
bool dl_parts_covers(const struct dl_parts *p, const struct st_id *id,
		     uint64_t at);

/* Is there a piece that is all of an object, and complete? */
bool dl_parts_whole(const struct dl_parts *p, const struct dl_object *o);

/* Bytes that are wanted and not here. */
uint64_t dl_parts_missing(const struct dl_parts *p);

/* Fetch what is wanted; objects are named FOLDER/ID.SUFFIX.  Nothing is wanted
 * afterwards. */
MUST_CHECK int dl_parts_fetch(struct dl_parts *p, struct dl_remote *r,
			      const char *folder, const char *suffix,
			      struct progress *progress, struct err *e);

/* Bytes of an object that a piece holds: 1 read into *out, replacing it; 0 no
 * piece has them all. */
MUST_CHECK int dl_parts_read(const struct dl_parts *p, const struct st_id *id,
			     uint64_t at, uint32_t len, struct buf *out,
			     struct err *e);

/*
 * All pieces of an object become the file `path`, if its bytes have the object's
 * name: else ERR_AUTH and the pieces are gone.  `what` is for the message.
 */
MUST_CHECK int dl_parts_join(struct dl_parts *p, const struct dl_object *o,
			     const char *path, const char *what,
			     struct err *e);

/* Remove the pieces of an object; remove all. */
void dl_parts_drop(struct dl_parts *p, const struct st_id *id);
void dl_parts_clear(struct dl_parts *p);

#endif /* DELTA_PARTS_H */
