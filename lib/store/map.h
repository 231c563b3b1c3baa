/* map.h - which chunk holds which sectors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The map of a disk is a root, which names one segment for every 64 MiB that
 * are not all zeros, and the segments, which list extents.  Both are records
 * of their own, so versions of one image line share the segments in which they
 * do not differ.  Sectors are 512 bytes.  What no extent covers reads as zeros.
 *
 * The formats are in docs/FORMAT.md, "Repository".  A parser accepts exactly
 * what the encoder writes: equal maps are equal bytes, and so equal names.
 */
#ifndef STORE_MAP_H
#define STORE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/id.h"

struct buf;
struct err;

#define ST_SECTOR 512u
#define ST_CHUNK_MAX 65536u		/* bytes of plaintext in a chunk */
#define ST_SEGMENT_BYTES (64u << 20)	/* disk bytes a segment covers */
#define ST_SEGMENT_SECTORS (ST_SEGMENT_BYTES / ST_SECTOR)
#define ST_MAP_MAX (4u << 20)		/* bytes of an encoded segment or root */
#define ST_KEY_BYTES 32

/* A chunk as a map knows it: enough to find, decrypt and size it. */
struct st_chunk {
	struct st_id id;
	uint8_t key[ST_KEY_BYTES];	/* secret; st_map_done() wipes it */
	uint32_t len;			/* bytes: a multiple of ST_SECTOR, not 0 */
};

/* Sectors [at, at + len) of the segment are those of chunk number `chunk` from
 * its sector `off` on. */
struct st_extent {
	uint32_t at, len;
	uint32_t chunk, off;
};

/* One segment.  Extents ascend and do not overlap; chunks stand in the order
 * in which extents first name them, and each is named. */
struct st_map {
	struct st_chunk *chunk;
	size_t chunks, chunk_cap;
	struct st_extent *extent;
	size_t extents, extent_cap;
};

#define ST_MAP_EMPTY { .chunk = NULL }
#define ST_MAP_SCOPED SCOPED(st_map_done)

void st_map_done(struct st_map *m);

/* Bytes st_map_encode() will write. */
size_t st_map_size(const struct st_map *m);

/*
 * Add an extent at the end: sectors [at, at + len) of the segment lie in chunk
 * `c` from its sector `off` on.  A chunk already in the map is found again only
 * when it is `hint` (its number, or SIZE_MAX); *ret_chunk is its number.
 */
MUST_CHECK int st_map_add(struct st_map *m, uint32_t at, uint32_t len,
			  const struct st_chunk *c, uint32_t off, size_t hint,
			  size_t *ret_chunk, struct err *e);

MUST_CHECK int st_map_encode(const struct st_map *m, struct buf *out,
			     struct err *e);
MUST_CHECK int st_map_parse(const void *in, size_t len, struct st_map *ret,
			    struct err *e);

/* The extent that holds sector `at` of the segment, or the first behind it;
 * m->extents when there is none. */
size_t st_map_find(const struct st_map *m, uint32_t at);

/* A segment that is not all zeros. */
struct st_root_segment {
	uint32_t number;	/* it begins at number * ST_SEGMENT_BYTES */
	struct st_id id;	/* name of its MAP record */
};

struct st_root {
	uint64_t size;			/* of the disk, in bytes */
	struct st_root_segment *segment;	/* ascending by number */
	size_t segments, cap;
};

#define ST_ROOT_EMPTY { .segment = NULL }
#define ST_ROOT_SCOPED SCOPED(st_root_done)

void st_root_done(struct st_root *r);
MUST_CHECK int st_root_add(struct st_root *r, uint32_t number,
			   const struct st_id *id, struct err *e);
MUST_CHECK int st_root_encode(const struct st_root *r, struct buf *out,
			      struct err *e);
MUST_CHECK int st_root_parse(const void *in, size_t len, struct st_root *ret,
			     struct err *e);

/* The segment of that number, or NULL when it is all zeros. */
const struct st_root_segment *st_root_find(const struct st_root *r,
					   uint32_t number);

#endif /* STORE_MAP_H */
