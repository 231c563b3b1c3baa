/* import.h - a disk becomes the map of a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One thread reads the disk in the order of its sectors, the others hash,
 * compress and encrypt.  What reads as zeros is not stored.
 */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "store/cuts.h"
#include "store/image.h"
#include "store/writer.h"

struct err;
struct progress;

/* A disk to read: the callers' kind of it. */
struct st_input {
	void *arg;
	uint64_t size;		/* bytes */
	int (*read)(void *arg, void *buf, size_t len, uint64_t at,
		    struct err *e);
	/* As st_image_extents(); NULL: nothing is known to be zeros. */
	int (*extents)(void *arg, uint64_t at, uint64_t len, st_extent_fn fn,
		       void *fn_arg, struct err *e);
	/* A version of this size and domain, of which this disk is a changed copy,
	 * and whether anything of [at, at + len) may have changed: what has not is
	 * not read.  NULL: there is none. */
	struct st_image *like;
	bool (*differs)(void *like_arg, uint64_t at, uint64_t len);
	void *like_arg;
};

/* What became of the bytes of a disk. */
struct st_imported {
	struct st_id root;	/* of the map */
	uint64_t data;		/* bytes that are not zeros */
};

/*
 * Store all of a disk, cut as `cuts` says (settled, for this size in sectors,
 * rounded up), and its map.  Counts bytes of the disk into p.  Making it a
 * version is the caller's: st_writer_commit().
 */
MUST_CHECK int st_import(struct st_writer *w, const struct st_line *line,
			 const struct st_input *in, const struct st_cuts *cuts,
			 struct progress *p, struct st_imported *ret,
			 struct err *e);

#endif /* STORE_IMPORT_H */
