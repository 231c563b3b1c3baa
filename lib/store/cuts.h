/* cuts.h - how a disk is cut into chunks
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What lies on a disk is objects: files, as runs of sectors wherever they are,
 * and around them the grids of partitions.  Chunk number k of an object is its
 * sectors with offset in [128 k, 128 k + 128), in the order of their offsets,
 * from all its runs.  So the same file gives the same chunks on any disk, and
 * however fragmented it is.  All numbers here count 512-byte sectors.
 */
#ifndef STORE_CUTS_H
#define STORE_CUTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum {
	ST_OBJECT_ZEROS = 0,	/* taken as zeros, whatever the disk says */
	ST_OBJECT_ONES = 1,	/* taken as bytes of 0xFF */
	ST_OBJECT_FIRST = 2,	/* the first number for something with contents */
	ST_CHUNK_SECTORS = 128,
};

/* Sectors [at, at + len) of the disk are those of the object from `off` on. */
struct st_run {
	uint64_t at, len;
	uint64_t object, off;
};

struct st_cuts {
	struct st_run *run;	/* owned */
	size_t runs, cap;
	uint32_t *order;	/* owned; runs by object and offset */
	uint64_t sectors;	/* of the disk */
};

#define ST_CUTS_EMPTY { .run = NULL }
#define ST_CUTS_SCOPED SCOPED(st_cuts_done)

void st_cuts_done(struct st_cuts *c);

/* Claim sectors for an object.  What is claimed twice belongs to the claim that
 * was added first. */
MUST_CHECK int st_cuts_add(struct st_cuts *c, uint64_t at, uint64_t len,
			   uint64_t object, uint64_t off, struct err *e);

/*
 * No more claims: settle them, and give what is left of the disk of `sectors`
 * sectors to grids that begin at each of origin[0..count), which ascend, and at
 * 0.  Claims beyond the end are cut off.
 */
MUST_CHECK int st_cuts_settle(struct st_cuts *c, uint64_t sectors,
			      const uint64_t *origin, size_t count,
			      struct err *e);

/* The run that holds a sector of a settled disk. */
size_t st_cuts_find(const struct st_cuts *c, uint64_t sector);

/* A piece of a chunk: len sectors at `at`. */
struct st_piece {
	uint64_t at;
	uint32_t len;
};

/* The pieces of chunk `k` of an object, in order: at most ST_CHUNK_SECTORS.
 * Returns how many, at least 1 if the chunk exists. */
size_t st_cuts_pieces(const struct st_cuts *c, uint64_t object, uint64_t k,
		      struct st_piece piece[ST_CHUNK_SECTORS]);

#endif /* STORE_CUTS_H */
