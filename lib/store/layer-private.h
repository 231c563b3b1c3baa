/* layer-private.h - the parts of a writable layer
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	layer			what it is over, and its sealed key
 *	NUMBER.segment		records, appended; hexadecimal numbers
 *	checkpoint		where everything was at some moment
 *
 * A record is a header of 40 bytes and a sealed body: the block for a DATA
 * record, nothing for a ZERO record, which covers `count` blocks.  The body
 * authenticates the header, the layer and the record's place, so no record
 * passes for another or stands elsewhere.
 */
#ifndef STORE_LAYER_PRIVATE_H
#define STORE_LAYER_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/record.h"
#include "crypt/secret.h"
#include "store/layer.h"

struct err;

enum {
	ST_LAYER_ID = 16,
	ST_LREC_HEADER = 40,
	ST_LREC_ZERO = ST_LREC_HEADER + CX_RECORD_OVERHEAD,
	ST_LREC_DATA = ST_LREC_ZERO + ST_LAYER_BLOCK,
	ST_LSEG_HEADER = 32,
	ST_LSEG_BYTES = 64 << 20,	/* a segment takes no more records then */
	ST_LAYER_BATCH = 64,	/* records written with one call */
};

enum st_lrec_kind { ST_LREC_KIND_DATA = 1, ST_LREC_KIND_ZERO = 2 };

/* A record's header. */
struct st_lrec {
	enum st_lrec_kind kind;
	uint64_t block, count;	/* count is 1 for data */
	uint64_t generation;	/* ascends over the whole layer, from 1 */
	uint64_t synced;	/* every generation up to it was on stable
				 * storage when this was written */
};

/* ---- where blocks are ---- */

/* segment << 32 | offset / 8, or one of these. */
#define ST_LOC_BASE 0u			/* not written: what the base has */
#define ST_LOC_ZERO 1u			/* zeros */

static inline uint64_t
st_loc(uint32_t segment, uint32_t offset)
{
	return (uint64_t)segment << 32 | offset / 8;
}

static inline uint32_t
st_loc_segment(uint64_t loc)
{
	return (uint32_t)(loc >> 32);
}

static inline uint32_t
st_loc_offset(uint64_t loc)
{
	return (uint32_t)loc * 8;
}

static inline bool
st_loc_is_data(uint64_t loc)
{
	return loc > ST_LOC_ZERO;
}

enum { ST_LEAF_BLOCKS = 4096 };

struct st_ltable {
	uint64_t **leaf;	/* NULL: all ST_LOC_BASE */
	uint64_t *zeros;	/* the leaf of all that are ST_LOC_ZERO */
	size_t leaves;
	uint64_t blocks;
};

MUST_CHECK int st_ltable_new(struct st_ltable *t, uint64_t blocks,
			     struct err *e);
void st_ltable_done(struct st_ltable *t);
uint64_t st_ltable_get(const struct st_ltable *t, uint64_t block);
/* Memory for setting some blocks: st_ltable_set() can not fail after it. */
MUST_CHECK int st_ltable_prepare(struct st_ltable *t, uint64_t block,
				 uint64_t count, struct err *e);
/* Returns what was there. */
uint64_t st_ltable_set(struct st_ltable *t, uint64_t block, uint64_t loc);

/* ---- segments ---- */

struct st_lseg {
	uint32_t number;
	int fd;
	uint64_t end;		/* bytes in use */
	uint64_t live;		/* data records that are the newest of their
				 * block */
};

struct st_layer {
	char *path;
	int lock;			/* the header file; holds the lock */
	bool writable;
	uint64_t size;			/* bytes */
	struct st_id base_id;
	uint8_t id[ST_LAYER_ID];
	struct cx_secret key, derived;	/* layer key; blocks, checkpoint */
	struct st_image *base;

	pthread_mutex_t write;		/* one appends; and of the next six */
	uint64_t generation;		/* of the last record */
	uint64_t checkpoint_segment;	/* last one that a checkpoint covers */
	uint8_t *batch;			/* records being put together */
	bool failed;			/* a sync failed: nothing is sure now */
	bool changed;			/* since the checkpoint */
	bool tidying;
	bool trimmed;			/* since space was last given back */
	_Atomic uint64_t synced;

	pthread_rwlock_t map;		/* of everything below */
	struct st_ltable table;
	struct st_lseg *seg;		/* ascending; the last is appended to */
	size_t segs, cap;
};

const uint8_t *st_layer_block_key(const struct st_layer *l);
const uint8_t *st_layer_checkpoint_key(const struct st_layer *l);

/* The segment of that number; NULL when there is none. */
struct st_lseg *st_layer_seg(const struct st_layer *l, uint32_t number);

/* Name of a segment's file; the caller frees it. */
MUST_CHECK char *st_layer_seg_path(const struct st_layer *l, uint32_t number,
				   struct err *e);

/* Begin a new segment. */
MUST_CHECK int st_layer_seg_new(struct st_layer *l, struct err *e);
/* Open one that is there, in ascending order: 1; 0 when it was begun and a power
 * cut took its head; -1. */
MUST_CHECK int st_layer_seg_open(struct st_layer *l, uint32_t number,
				 struct err *e);

/* Put a record together at out: its whole length is returned. */
size_t st_lrec_seal(const struct st_layer *l, const struct st_lrec *r,
		    uint32_t segment, uint64_t at, const void *data,
		    uint8_t *out);
/* Header of a record; the cursor is bad when there is none. */
struct cur;
struct st_lrec st_lrec_header(struct cur *c);
/* Authenticate the record at rec (ST_LREC_DATA bytes, or ST_LREC_ZERO), and
 * give its block to out. */
MUST_CHECK int st_lrec_open(const struct st_layer *l, const uint8_t *rec,
			    size_t len, uint32_t segment, uint64_t at,
			    const char *what, uint8_t out[ST_LAYER_BLOCK],
			    struct err *e);

/* Let the table know of a record; memory for it first. */
MUST_CHECK int st_layer_prepare(struct st_layer *l, const struct st_lrec *r,
				struct err *e);
void st_layer_apply(struct st_layer *l, const struct st_lrec *r, uint64_t loc);

/* What was appended since the checkpoint; segment `from`, byte `at`. */
MUST_CHECK int st_layer_replay(struct st_layer *l, size_t from, uint64_t at,
			       struct err *e);

/* Write a checkpoint: everything must have been synced. */
MUST_CHECK int st_layer_checkpoint(struct st_layer *l, struct err *e);
/* Read it, if there is one, and open the segments; *ret_from and *ret_at say where
 * st_layer_replay() goes on. */
MUST_CHECK int st_layer_load(struct st_layer *l, size_t *ret_from,
			     uint64_t *ret_at, struct err *e);

/* Is [at, at + len) in the disk?  Else ERR_CORRUPT. */
MUST_CHECK int st_layer_range(const struct st_layer *l, uint64_t at,
			      uint64_t len, struct err *e);

/* With the write lock held, and all synced: give space back if something was
 * trimmed since the last time, also that of the last segment. */
MUST_CHECK int st_layer_give_back(struct st_layer *l, struct err *e);

/* With the write lock held: sync what was appended; append one block; read the
 * block at a place. */
MUST_CHECK int st_layer_sync(struct st_layer *l, struct err *e);
MUST_CHECK int st_layer_append(struct st_layer *l, uint64_t block,
			       const uint8_t data[ST_LAYER_BLOCK],
			       struct err *e);
MUST_CHECK int st_layer_block(const struct st_layer *l, uint64_t loc,
			      uint8_t out[ST_LAYER_BLOCK], struct err *e);

/* With the write lock held: move what is left of the emptiest segment to the
 * end where that frees more than it costs, and remove segments in which nothing
 * is left. */
MUST_CHECK int st_layer_tidy(struct st_layer *l, struct err *e);

#endif /* STORE_LAYER_PRIVATE_H */
