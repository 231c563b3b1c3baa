/* writer.h - adding records and versions to a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One writer at a time; another is refused (ERR_UNSAFE) at once.  Records go
 * into packs; a pack is synced and named when it is full, so what was written
 * before an interruption is found again by the next writer and not written
 * twice.  The version's ref is the last thing written.
 *
 * st_writer_chunk(), _chunk_as() and _record() may be called from any number of threads at
 * once, each with a coder of its own; the others from one.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "store/codec.h"
#include "store/line.h"
#include "store/map.h"
#include "store/repo.h"
#include "store/version.h"

struct err;
struct st_writer;

#define ST_WRITER_SCOPED SCOPED(st_writer_free)

/* Take the writer's lock, clean up after an interrupted one. */
MUST_CHECK struct st_writer *st_writer_open(struct st_repo *r, struct err *e);

/* Without st_writer_commit(): what was packed stays, for the next one. */
void st_writer_free(struct st_writer *const *w);

/* Codec and level for what is written from here on; default zstd, 1. */
void st_writer_codec(struct st_writer *w, enum st_codec codec, int level);

/*
 * Administrators: store len bytes (a multiple of ST_SECTOR, at most
 * ST_CHUNK_MAX), unless they are there.  *ret is what a map needs; *ret_new,
 * whether they were not there.
 */
MUST_CHECK int st_writer_chunk(struct st_writer *w, struct st_coder *coder,
			       const void *data, size_t len,
			       struct st_chunk *ret, bool *ret_new,
			       struct err *e);

/* A chunk of len bytes that a version has already is used again: counted only. */
void st_writer_reuse(struct st_writer *w, size_t len);

/* Clients: store a chunk whose name and key came with a map.  ERR_AUTH when the
 * line's id key gives these bytes another name. */
MUST_CHECK int st_writer_chunk_as(struct st_writer *w, struct st_coder *coder,
				  const struct st_line *line, const void *data,
				  const struct st_chunk *c, bool *ret_new,
				  struct err *e);

/* Store a record that was made elsewhere in this domain, header and body as they
 * are.  Its bytes must have been authenticated by what brought them. */
MUST_CHECK int st_writer_record(struct st_writer *w, const void *rec, size_t len,
				bool *ret_new, struct err *e);

/* Store a segment or the root of a line's map; *ret_id is its name. */
MUST_CHECK int st_writer_segment(struct st_writer *w, struct st_coder *coder,
				 const struct st_line *line,
				 const struct st_map *m, struct st_id *ret_id,
				 struct err *e);
MUST_CHECK int st_writer_root(struct st_writer *w, struct st_coder *coder,
			      const struct st_line *line,
			      const struct st_root *root, struct st_id *ret_id,
			      struct err *e);

/*
 * Make it a version: close the packs, write index, manifest and clear list,
 * then the ref.  v->number 0 takes the next one.  v->domain, ->line, ->number, ->added and
 * ->stored are filled here; the rest is the caller's.  Every record the map
 * leads to must be there, else ERR_CORRUPT.
 */
MUST_CHECK int st_writer_commit(struct st_writer *w, const struct st_line *line,
				struct st_version *v, struct st_ref *ret,
				struct err *e);

/* The same for a manifest that was signed elsewhere: it keeps its bytes, name
 * and number.  `line` must open it. */
MUST_CHECK int st_writer_commit_manifest(struct st_writer *w,
					 const struct st_line *line,
					 const void *manifest, size_t len,
					 struct st_ref *ret, struct err *e);

/* What was written by this writer. */
struct st_writer_stats {
	uint64_t new_chunks, new_bytes;		/* plaintext */
	uint64_t known_chunks, known_bytes;
	uint64_t stored_bytes;			/* records, as they lie in packs */
	uint64_t packs;
};

struct st_writer_stats st_writer_stats(const struct st_writer *w);

#endif /* STORE_WRITER_H */
