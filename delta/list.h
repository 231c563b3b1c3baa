/* list.h - which files make a delta large
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * While units are made, shares note which file how many of a unit's bytes
 * belong to.  Afterwards they become a list by path, which travels in a frame of
 * its own, so that a recipient can see what an update changes.
 */
#ifndef DELTA_LIST_H
#define DELTA_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "delta/files.h"

struct buf;
struct dl_delta;
struct err;

/* In place of a stream: what belongs to no file. */
enum {
	DL_SHARE_FREE = UINT32_MAX - 1,		/* free clusters */
	DL_SHARE_OTHER = UINT32_MAX - 2,	/* used, but by no file */
	DL_SHARE_OUTSIDE = UINT32_MAX - 3,	/* in no volume that is known */
};

struct dl_share {
	size_t unit;
	uint64_t bytes;
	uint32_t volume, placed;	/* or DL_SHARE_... */
};

struct dl_shares {
	struct dl_share *at;	/* owned */
	size_t count, cap;
};

#define DL_SHARES_EMPTY { .at = NULL }
#define DL_SHARES_SCOPED SCOPED(dl_shares_done)

void dl_shares_done(struct dl_shares *s);

/* [at, at + len) of a unit belongs to a stream. */
MUST_CHECK int dl_share_add(struct dl_shares *s, size_t unit, uint32_t volume,
			    uint32_t placed, uint64_t len, struct err *e);

/* [at, at + len) of the new disk, which is in no file, belongs to a unit. */
MUST_CHECK int dl_share_rest(struct dl_shares *s, size_t unit,
			     const struct dl_files *new, uint64_t at,
			     uint64_t len, struct err *e);

struct dl_item {
	char *path;		/* owned; in parentheses what is no file */
	uint64_t changed;	/* bytes that are other than before */
	uint64_t packed;	/* of the delta's bytes */
};

/* The costliest first. */
struct dl_list {
	struct dl_item *at;	/* owned */
	size_t count, cap;
};

#define DL_LIST_EMPTY { .at = NULL }
#define DL_LIST_SCOPED SCOPED(dl_list_done)

void dl_list_done(struct dl_list *l);

/* Sum the shares of a packed delta up by path. */
MUST_CHECK int dl_list_make(const struct dl_shares *s,
			    const struct dl_files *new,
			    const struct dl_delta *d, struct dl_list *ret,
			    struct err *e);

/* As the bytes of a frame and back; `name` is for messages. */
MUST_CHECK int dl_list_encode(const struct dl_list *l, struct buf *out,
			      struct err *e);
MUST_CHECK int dl_list_parse(const char *name, const void *in, size_t len,
			     struct dl_list *ret, struct err *e);

#endif /* DELTA_LIST_H */
