/* release.h - which versions a mirror offers, and of what objects they are made
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The body of release metadata (crypt/role.h), what The Update Framework calls
 * targets (4.5 there).  Of every object that is not named by its hash anyway, the
 * hash and length stand here, so nothing on a mirror can be swapped.  Lines whose
 * `epoch` is higher than before may go back to an older version: that number is
 * the signed permission.
 */
#ifndef DELTA_RELEASE_H
#define DELTA_RELEASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/hash.h"
#include "store/id.h"
#include "store/repo.h"

struct buf;
struct err;

/* An object and its bytes. */
struct dl_object {
	struct st_id id;
	uint64_t len;
};

/* A delta: what it is, and which version (its manifest) it starts from. */
struct dl_offer {
	struct dl_object file;
	struct st_id from;
};

struct dl_offered {
	uint64_t number;
	struct dl_object manifest;	/* versions/ID.version */
	struct dl_object list;		/* versions/MANIFEST.list; id: its hash */
	struct dl_object *index;	/* fragments that list its packs; owned */
	size_t indexes, index_cap;
	struct dl_offer *delta;		/* owned */
	size_t deltas, delta_cap;
};

struct dl_line {
	char name[ST_NAME_MAX + 1];
	uint8_t id[ST_LINE_BYTES];
	uint64_t epoch;			/* how often it went back */
	struct dl_offered *version;	/* by number, at least one; owned */
	size_t versions, cap;
};

struct dl_release {
	struct dl_line *line;		/* by name; owned */
	size_t lines, cap;
};

#define DL_RELEASE_EMPTY { .line = NULL }
#define DL_RELEASE_SCOPED SCOPED(dl_release_done)

void dl_release_done(struct dl_release *r);

MUST_CHECK int dl_release_parse(const char *what, const void *in, size_t len,
				struct dl_release *ret, struct err *e);
MUST_CHECK int dl_release_encode(const struct dl_release *r, struct buf *out,
				 struct err *e);

/* A line or version that is there, or NULL. */
struct dl_line *dl_release_line(const struct dl_release *r, const char *name);
struct dl_offered *dl_line_version(const struct dl_line *l, uint64_t number);
struct dl_offered *dl_line_manifest(const struct dl_line *l,
				    const struct st_id *id);

/* The newest of a line. */
struct dl_offered *dl_line_newest(const struct dl_line *l);

/* Add one that is not there; NULL with ERR_NOMEM.  Other pointers into the same
 * list are void afterwards. */
MUST_CHECK struct dl_line *dl_release_add(struct dl_release *r,
					  const char *name, struct err *e);
MUST_CHECK struct dl_offered *dl_line_add(struct dl_line *l, uint64_t number,
					  struct err *e);

/* Withdraw all versions above a number: the line may go back. */
void dl_line_go_back(struct dl_line *l, uint64_t number);

#endif /* DELTA_RELEASE_H */
