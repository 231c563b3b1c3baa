/* image.h - a stored version as bytes to read
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening reads the manifest and the root of the map; segments and chunks
 * come when they are asked for.  Reading is for any number of threads at once.
 * What is kept in memory is bounded by what st_image_open() was told, and a few
 * MiB besides.  Every byte handed out was authenticated.
 */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/map.h"
#include "store/repo.h"
#include "store/version.h"

struct buf;
struct err;
struct st_image;

#define ST_IMAGE_SCOPED SCOPED(st_image_free)

/* Bytes of decoded chunks that are kept, when in doubt. */
#define ST_IMAGE_CACHE (32u << 20)

/*
 * Open NAME, NAME:VER or NAME:TAG of a repository with an unlocked key; the
 * repository must outlive the image.  With `check`, each chunk read is also
 * hashed and compared with its name: for export and verify, where the reader
 * wants to know that writer and name agree, too.
 */
MUST_CHECK struct st_image *st_image_open(struct st_repo *r, const char *version,
					  size_t cache_bytes, bool check,
					  struct err *e);
void st_image_free(struct st_image *const *i);

/* The bytes of the disk, its manifest, its map's root, its keys; all live as long
 * as the image. */
uint64_t st_image_size(const struct st_image *i);
const struct st_version *st_image_version(const struct st_image *i);
const struct st_id *st_image_id(const struct st_image *i);	/* manifest's */
const struct st_root *st_image_root(const struct st_image *i);
const struct st_line *st_image_line(const struct st_image *i);

/* All of [at, at + len), which must lie inside the disk (else ERR_CORRUPT).  A
 * damaged pack is ERR_CORRUPT or ERR_AUTH and is named. */
MUST_CHECK int st_image_read(struct st_image *i, void *buf, size_t len,
			     uint64_t at, struct err *e);

/* Call fn for every stretch of [at, at + len), in order, without gaps: zero
 * says it is not stored and reads as zeros.  fn returns 0 to go on. */
typedef int (*st_extent_fn)(void *arg, uint64_t at, uint64_t len, bool zero,
			    struct err *e);
MUST_CHECK int st_image_extents(struct st_image *i, uint64_t at, uint64_t len,
				st_extent_fn fn, void *arg, struct err *e);

/* Where a sector of the disk is kept. */
struct st_where {
	struct st_chunk chunk;	/* .len 0: nowhere, it reads as zeros */
	uint32_t off;		/* its sector in the chunk */
	uint64_t len;		/* sectors that go on like this, at least 1 */
};

MUST_CHECK int st_image_where(struct st_image *i, uint64_t sector,
			      struct st_where *ret, struct err *e);

/* The map of one 64 MiB segment, for planning deltas; empty when it is all
 * zeros.  The caller owns *ret. */
MUST_CHECK int st_image_segment(struct st_image *i, uint32_t number,
				struct st_map *ret, struct err *e);

/* The plaintext of a chunk of this image's map: *out is replaced. */
MUST_CHECK int st_image_chunk(struct st_image *i, const struct st_chunk *c,
			      struct buf *out, struct err *e);

/* A record of this repository as it is stored, header and body: *out is replaced.
 * 1 found, 0 not in this repository. */
MUST_CHECK int st_repo_record(struct st_repo *r, const struct st_id *id,
			      struct buf *out, struct err *e);

/* Is there such a record?  1 yes, 0 no. */
MUST_CHECK int st_repo_has(struct st_repo *r, const struct st_id *id,
			   struct err *e);

#endif /* STORE_IMAGE_H */
