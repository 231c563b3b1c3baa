/* like.h - the stored version that a disk is a changed copy of
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef SOURCE_LIKE_H
#define SOURCE_LIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct dk;
struct err;
struct st_image;

/* What was written, in bytes: ascending, not touching. */
struct src_like {
	struct st_image *image;		/* the disk's; NULL: it is like none */
	struct src_stretch {
		uint64_t from, to;
	} *at;				/* owned */
	size_t count, cap;
};

#define SRC_LIKE_EMPTY { .image = NULL }
#define SRC_LIKE_SCOPED SCOPED(src_like_done)

void src_like_done(struct src_like *l);

/* For a disk of src_over(), or one that src_open() opened for writing. */
MUST_CHECK int src_like_find(struct dk *d, struct src_like *ret, struct err *e);

/* May anything of [at, at + len) differ from the version? */
bool src_like_differs(const struct src_like *l, uint64_t at, uint64_t len);

/* The room's own: the version that is this disk, or lies under an overlay of
 * src_over(), else NULL; what such an overlay holds. */
struct st_image *src_version_image(const struct dk *d);
struct st_image *src_over_image(const struct dk *d);
MUST_CHECK int src_over_changes(struct dk *d,
				int (*fn)(void *arg, uint64_t at, uint64_t len,
					  unsigned kind, struct err *e),
				void *arg, struct err *e);

#endif /* SOURCE_LIKE_H */
