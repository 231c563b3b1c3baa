/* delta.h - what turns one disk into the next
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A delta is a container (store/container.h).  Its manifest, which this reads
 * and writes, says what of the old disk is kept and what the rest becomes:
 *
 * - The old disk is cut into blocks of 1 MiB.  Runs of blocks say for each
 *   whether it is kept in whole or in part, and then that it is all zeros, or
 *   its hash; so a wrong old disk is found before anything is made of it.
 * - Units say what becomes of the places that change: zeros, or packed data
 *   from a frame, possibly packed against other bytes of the old disk.
 *
 * Every other byte of the new disk is that of the old one at the same place,
 * and zero where the old one has ended.  docs/FORMAT.md, "Deltas".
 */
#ifndef DELTA_DELTA_H
#define DELTA_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/hash.h"
#include "crypt/secret.h"

struct buf;
struct err;

enum {
	DL_BLOCK = 1 << 20,		/* bytes of the old disk under one hash */
	DL_UNIT_MAX = 4 << 20,		/* bytes that one packed unit makes */
	DL_BASE_MAX = 16 << 20,		/* bytes it may be packed against */
	DL_NAME_MAX = 255,
	DL_ID = 16,
};

struct dl_extent {
	uint64_t at, len;		/* bytes */
};

/* What is known of a run of the old disk's blocks. */
enum dl_run_kind {
	DL_RUN_UNUSED,		/* nothing of them is kept */
	DL_RUN_ZERO,		/* they are zeros */
	DL_RUN_DATA,		/* each has a hash */
};

struct dl_run {
	enum dl_run_kind kind;
	uint64_t count;		/* blocks, at least 1 */
	size_t hash;		/* DL_RUN_DATA: number of the first one's hash */
};

enum dl_unit_kind {
	DL_UNIT_ZERO,		/* the targets become zeros */
	DL_UNIT_DATA,		/* the targets, one after the other, are this */
};

struct dl_unit {
	enum dl_unit_kind kind;
	uint64_t len;			/* bytes of all targets */
	size_t target, targets;		/* places in dl_delta.extent: new disk */
	size_t base, bases;		/* the same: old disk */
	/* DL_UNIT_DATA: */
	uint64_t base_len;
	uint8_t codec;			/* enum st_codec */
	bool patch;			/* it is a patch (delta/patch.h) */
	uint32_t frame, off, packed;	/* bytes [off, off + packed) of a frame */
	uint8_t hash[CX_HASH_BYTES];	/* of what it makes */
	uint8_t base_hash[CX_HASH_BYTES];	/* of the bases; zeros: none */
};

/* What a delta between stored versions carries besides, for a repository. */
struct dl_stored {
	bool there;
	uint8_t domain[DL_ID], line[DL_ID];
	uint8_t old_id[CX_HASH_BYTES];	/* manifest of OLD, or zeros */
	uint8_t image_key[CX_KEY_BYTES], id_key[CX_KEY_BYTES];
	uint8_t *manifest;		/* of NEW, as it is stored; owned */
	size_t manifest_len;
	uint32_t frame, frames;		/* these frames are records */
};

struct dl_delta {
	uint64_t old_size, new_size;	/* bytes */
	uint64_t created;		/* seconds since 1970 */
	char *old_name, *new_name;	/* as they were called; owned */
	struct dl_run *run;		/* together all blocks of the old disk */
	size_t runs, run_cap;
	uint8_t (*hash)[CX_HASH_BYTES];
	size_t hashes, hash_cap;
	struct dl_unit *unit;
	size_t units, unit_cap;
	struct dl_extent *extent;	/* of the units, in their order */
	size_t extents, extent_cap;
	struct dl_stored stored;
	bool has_list;			/* of files (delta/list.h) */
	uint32_t list_frame;
};

#define DL_DELTA_EMPTY { .run = NULL }
#define DL_DELTA_SCOPED SCOPED(dl_delta_done)

/* Release, and wipe the keys. */
void dl_delta_done(struct dl_delta *d);

/* Blocks of the old disk. */
uint64_t dl_delta_blocks(const struct dl_delta *d);

/* Append one block to the runs: hash is used for DL_RUN_DATA. */
MUST_CHECK int dl_delta_block(struct dl_delta *d, enum dl_run_kind kind,
			      const uint8_t hash[CX_HASH_BYTES],
			      struct err *e);

/* Begin a unit; targets are then added, then bases. */
MUST_CHECK int dl_delta_unit(struct dl_delta *d, enum dl_unit_kind kind,
			     struct err *e);
MUST_CHECK int dl_delta_target(struct dl_delta *d, uint64_t at, uint64_t len,
			       struct err *e);
MUST_CHECK int dl_delta_base(struct dl_delta *d, uint64_t at, uint64_t len,
			     struct err *e);

MUST_CHECK int dl_delta_encode(const struct dl_delta *d, struct buf *out,
			       struct err *e);

/* `frames` is how many the container has.  `name` is for messages.  Accepts
 * only what the encoder writes of a delta whose parts lie inside their disks
 * and whose targets do not overlap. */
MUST_CHECK int dl_delta_parse(const char *name, const void *in, size_t len,
			      uint32_t frames, struct dl_delta *ret,
			      struct err *e);

#endif /* DELTA_DELTA_H */
