/* layer.h - what a guest writes over a stored version
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A writable layer is a directory of append-only segment files of encrypted
 * records, one for each 4 KiB block written, and a checkpoint of where the
 * newest of each lies.  A flush is an fdatasync; what was flushed survives any
 * crash, what was not may be lost, and never is anything else read than what
 * was written or what the base has.  docs/FORMAT.md, "Writable layers".
 *
 * Reading and writing are for any number of threads at once.
 */
#ifndef STORE_LAYER_H
#define STORE_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/key.h"
#include "store/image.h"

struct err;
struct st_layer;

enum { ST_LAYER_BLOCK = 4096 };

#define ST_LAYER_SCOPED SCOPED(st_layer_free)

/*
 * Make an empty layer at `path`, which must not exist, over the version whose
 * manifest is `base` and whose disk has `size` bytes.  Its new key is sealed to
 * `to`.
 */
MUST_CHECK int st_layer_new(const char *path, const struct st_id *base,
			    uint64_t size, const struct cx_pubs *to,
			    struct err *e);

/*
 * Open a layer with a private key.  `base` must be the version it was made
 * over (else ERR_UNSAFE) and outlive it.  A layer is open once at a time when
 * writable (else ERR_UNSAFE).  `writable` false: nothing is changed on disk.
 */
MUST_CHECK struct st_layer *st_layer_open(const char *path,
					  const struct cx_key *k,
					  struct st_image *base, bool writable,
					  struct err *e);

/* Writes a checkpoint where it was writable; a failure to do so loses nothing. */
void st_layer_free(struct st_layer *const *l);

uint64_t st_layer_size(const struct st_layer *l);

/* The manifest id a layer was made over: needs no key. */
MUST_CHECK int st_layer_base(const char *path, struct st_id *ret, struct err *e);

MUST_CHECK int st_layer_read(struct st_layer *l, void *buf, size_t len,
			     uint64_t at, struct err *e);
MUST_CHECK int st_layer_write(struct st_layer *l, const void *buf, size_t len,
			      uint64_t at, struct err *e);

/* Make [at, at + len) zeros. */
MUST_CHECK int st_layer_zero(struct st_layer *l, uint64_t len, uint64_t at,
			     struct err *e);

/* The guest needs the contents of [at, at + len) no more: whole blocks in it
 * read as zeros and give their space back in time. */
MUST_CHECK int st_layer_trim(struct st_layer *l, uint64_t len, uint64_t at,
			     struct err *e);

/* Everything written before this call is on stable storage after it. */
MUST_CHECK int st_layer_flush(struct st_layer *l, struct err *e);

/* As st_image_extents(): layer over base. */
MUST_CHECK int st_layer_extents(struct st_layer *l, uint64_t at, uint64_t len,
				st_extent_fn fn, void *arg, struct err *e);

/* Call fn for what differs from the base: zero says it reads as zeros. */
MUST_CHECK int st_layer_changes(struct st_layer *l, st_extent_fn fn, void *arg,
				struct err *e);

#endif /* STORE_LAYER_H */
