/* writer-private.h - a writer between writer.c and commit.c
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef STORE_WRITER_PRIVATE_H
#define STORE_WRITER_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>

#include "base/attr.h"
#include "store/index.h"
#include "store/pack.h"
#include "store/repo-private.h"
#include "store/writer.h"

struct err;

/* A set of names: open addressing, all zeros is free. */
struct st_names {
	struct st_id *at;
	size_t count, cap;	/* cap is a power of two, or 0 */
};

struct st_writer {
	struct st_repo *repo;	/* NULL until its lock is ours */
	enum st_codec codec;
	int level;

	pthread_mutex_t lock;	/* of everything below */
	struct st_pack pack;	/* being filled; closed while .file.fd < 0 */
	struct st_index_new fresh;	/* closed packs that no fragment lists */
	struct st_names names;	/* written, or being written, since then */
	struct st_names closed;	/* packs of this writer */
	struct st_writer_stats stats;
};

/* Clean up after an interrupted writer, and let the index fit the packs. */
MUST_CHECK int st_writer_mend(struct st_writer *w, struct err *e);

/* Is it a pack that this writer made?  The same records in the same order are
 * the same pack, so it may have been there. */
bool st_writer_wrote_pack(const struct st_writer *w, const struct st_id *id);

/* Make fragments again without the packs for which `goes` says true; on stable
 * storage when this returns. */
MUST_CHECK int st_repo_filter_index(struct st_repo *r,
				    bool (*goes)(void *arg,
						 const struct st_id *pack),
				    void *arg, struct err *e);

/* Write a record, whether or not there is one of that name. */
MUST_CHECK int st_writer_append(struct st_writer *w, enum st_kind kind,
				const struct st_id *id, const void *rec,
				size_t len, struct err *e);

/* From one thread, with no others at work. */
MUST_CHECK int st_writer_close_pack(struct st_writer *w, struct err *e);
MUST_CHECK int st_writer_flush_index(struct st_writer *w, struct err *e);
MUST_CHECK int st_writer_merge_index(struct st_writer *w, struct err *e);

/* Maps of a line, by name. */
MUST_CHECK int st_repo_segment(struct st_repo *r, struct st_coder *coder,
			       const struct st_line *line,
			       const struct st_id *id, struct st_map *ret,
			       struct err *e);
MUST_CHECK int st_repo_root(struct st_repo *r, struct st_coder *coder,
			    const struct st_line *line, const struct st_id *id,
			    struct st_root *ret, struct err *e);

#endif /* STORE_WRITER_PRIVATE_H */
