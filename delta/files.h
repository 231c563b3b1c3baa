/* files.h - which file a place on a disk belongs to, and what it was before
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file that is updated lies elsewhere afterwards, so what resembles a changed
 * place best is rarely at the same address: it is the same file in the old
 * disk.  All of this is a hint; a wrong one costs size, nothing else.
 */
#ifndef DELTA_FILES_H
#define DELTA_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "delta/delta.h"
#include "volume/layout.h"

struct dk;
struct err;

/* A way to find a stream by the hash of a name. */
struct dl_key {
	uint64_t hash;
	uint32_t placed;
};

struct dl_volume {
	unsigned number;	/* of the partition */
	struct vo_layout l;
	uint8_t *used;		/* a bit each cluster, or NULL */
	uint64_t clusters;
	struct dl_key *path;	/* by hash of path, type and stream */
	struct dl_key *leaf;	/* by hash of the path's last part, likewise */
};

/* The NTFS volumes of a disk. */
struct dl_files {
	struct dl_volume *at;	/* owned */
	size_t count, cap;
};

#define DL_FILES_EMPTY { .at = NULL }
#define DL_FILES_SCOPED SCOPED(dl_files_done)

void dl_files_done(struct dl_files *f);

/* Read the layouts.  What has none - no partition table, no NTFS, a damaged
 * one - is left out. */
MUST_CHECK int dl_files_read(struct dk *d, struct dl_files *ret, struct err *e);

/* A piece of a file that changed. */
struct dl_spot {
	uint64_t at, len;	/* on the new disk */
	uint64_t off;		/* in the stream */
	uint32_t volume, placed;
};

struct dl_spots {
	struct dl_spot *at;	/* owned; by volume, stream, off */
	size_t count, cap;
};

#define DL_SPOTS_EMPTY { .at = NULL }
#define DL_SPOTS_SCOPED SCOPED(dl_spots_done)

void dl_spots_done(struct dl_spots *s);

struct dl_changes;

/* Sort changes into those of files and the rest. */
MUST_CHECK int dl_files_sort(const struct dl_files *f,
			     const struct dl_changes *all,
			     struct dl_spots *ret, struct dl_changes *ret_rest,
			     struct err *e);

/* The stream of the old disk that the new one's resembles: the same path, else
 * the same name in the most similar folder; NULL when there is none.  *ret_in
 * is its volume. */
MUST_CHECK int dl_files_before(const struct dl_files *old,
			       const struct dl_volume *v, uint32_t placed,
			       const struct dl_volume **ret_in,
			       const struct vo_placed **ret, struct err *e);

/* The path of a file with contents in [at, at + len) of the disk, or NULL when
 * none has; the caller frees *ret. */
MUST_CHECK int dl_files_at(const struct dl_files *f, uint64_t at, uint64_t len,
			   char **ret, struct err *e);

#endif /* DELTA_FILES_H */
