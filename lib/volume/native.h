/* native.h - NTFS by libntfs-3g, inside the worker
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rules of the library, kept here: the caches and $Secure are opened by hand; a
 * child is closed in its open parent, or with no parent open; there are never
 * two handles on one MFT record; one thread.
 */
#ifndef VOLUME_NATIVE_H
#define VOLUME_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "volume/ntfs3g.h"
#include "volume/volume-private.h"

struct err;
struct vo_worker;

struct vo_native {
	struct vo_worker *worker;
	uint64_t size;		/* of the partition */
	bool writable;
	ntfs_volume *vol;	/* NULL until mounted */
	struct SECURITY_CONTEXT security;
	struct PERMISSIONS_CACHE *no_cache;
	struct vo_block_cache *cache;
	uint64_t pos;		/* of the device, for seek */
	char *folder;		/* found last, with its '/'; owned; NULL: none */
	uint64_t folder_mref;
};

MUST_CHECK struct vo_native *vo_native_new(struct vo_worker *w, uint64_t size,
					   bool writable, struct err *e);

/* struct vo_engine's serve, at home. */
MUST_CHECK int vo_native_serve(struct vo_native *n, const struct vo_request *q,
			       struct buf *answer, struct err *e);

/* ---- the device (native_device.c) ----------------------------------------- */

struct ntfs_device *vo_native_device(struct vo_native *n);
MUST_CHECK int vo_native_cache(struct vo_native *n, struct err *e);
/* Give the parent what was written; -1 and errno. */
MUST_CHECK int vo_native_flush(struct vo_native *n);

/* ---- paths (native_path.c) ------------------------------------------------ */

/* errno as an error; `what` is what could not be done.  Returns -1. */
COLD int vo_native_fail(const char *what, struct err *e);

/* What a path names: 1, 0, -1.  A stream's name is left to *ret_stream: NULL,
 * or what follows the colon in `path`. */
MUST_CHECK int vo_native_find(struct vo_native *n, const char *path, u64 *ret,
			      const char **ret_stream, struct err *e);

/* Names will change: what was found before is no longer known. */
void vo_native_forget(struct vo_native *n);

/* The same as vo_native_find(), opened; absent is ERR_NO, "is not there". */
MUST_CHECK ntfs_inode *vo_native_open(struct vo_native *n, const char *path,
				      const char **ret_stream, struct err *e);

/* The folder of a path and its last part as NTFS has it (caller frees). */
MUST_CHECK int vo_native_parent(struct vo_native *n, const char *path,
				u64 *ret_folder, ntfschar **ret_name,
				size_t *ret_units, struct err *e);

/* Look for a name in an open folder, the exact one first: 1, 0, -1. */
MUST_CHECK int vo_native_child(ntfs_inode *dir, const ntfschar *name,
			       size_t units, u64 *ret, struct err *e);

/* A name in a folder: the folder open, the name as NTFS has it. */
struct vo_native_place {
	ntfs_inode *dir;	/* NULL when handed on */
	ntfschar *name;
	size_t units;
};

void vo_native_place_done(struct vo_native_place *p);
#define VO_PLACE_SCOPED SCOPED(vo_native_place_done)

/* Where a path's last part lies, or will; not in a junction. */
MUST_CHECK int vo_native_place(struct vo_native *n, const char *path,
			       struct vo_native_place *ret, struct err *e);

/* Close and write the folder, in which something changed. */
MUST_CHECK int vo_native_shut_place(struct vo_native_place *p, struct err *e);

/* ERR_USAGE when the volume is only read. */
MUST_CHECK int vo_native_writable(const struct vo_native *n, struct err *e);

/* WTF-8 to what NTFS stores; at most VO_NAME_MAX units. */
MUST_CHECK int vo_native_name(const char *text, size_t len, ntfschar **ret,
			      size_t *ret_units, struct err *e);

/* The name of a data stream, as the file spells it if it is there: 1, 0, -1.
 * NULL or "" is the unnamed one, of no units. */
MUST_CHECK int vo_native_stream(ntfs_inode *ni, const char *stream,
				ntfschar **ret, size_t *ret_units,
				struct err *e);

/* Close an inode, which writes it; for a read-only one the result is nothing. */
MUST_CHECK int vo_native_shut(ntfs_inode *ni, struct err *e);
void vo_native_drop(ntfs_inode *const *ni);
#define VO_INODE_SCOPED SCOPED(vo_native_drop)

bool vo_native_is_folder(const ntfs_inode *ni);

/* Its reparse tag, or 0. */
uint32_t vo_native_tag(ntfs_inode *ni);

/* ---- CompactOS (native_wof.c) --------------------------------------------- */

/* Plain bytes of a CompactOS file into answer: up to `size` of them from `at`. */
MUST_CHECK int vo_native_wof_read(ntfs_inode *ni, uint64_t at, uint64_t size,
				  struct buf *answer, struct err *e);

/* Make it an ordinary file, as Windows does before the first write. */
MUST_CHECK int vo_native_wof_expand(ntfs_inode *ni, struct err *e);

/* ---- the requests --------------------------------------------------------- */

typedef int (*vo_native_fn)(struct vo_native *n, const struct vo_request *q,
			    struct buf *answer, struct err *e);

int vo_native_stat(struct vo_native *, const struct vo_request *, struct buf *,
		   struct err *);
int vo_native_spell(struct vo_native *, const struct vo_request *, struct buf *,
		    struct err *);
int vo_native_list(struct vo_native *, const struct vo_request *, struct buf *,
		   struct err *);
int vo_native_read(struct vo_native *, const struct vo_request *, struct buf *,
		   struct err *);
int vo_native_streams(struct vo_native *, const struct vo_request *,
		      struct buf *, struct err *);
int vo_native_efs(struct vo_native *, const struct vo_request *, struct buf *,
		  struct err *);
int vo_native_set_efs(struct vo_native *, const struct vo_request *,
		      struct buf *, struct err *);
int vo_native_set_compressed(struct vo_native *, const struct vo_request *,
			     struct buf *, struct err *);
int vo_native_write(struct vo_native *, const struct vo_request *, struct buf *,
		    struct err *);
int vo_native_truncate(struct vo_native *, const struct vo_request *,
		       struct buf *, struct err *);
int vo_native_put(struct vo_native *, const struct vo_request *, struct buf *,
		  struct err *);
int vo_native_create(struct vo_native *, const struct vo_request *,
		     struct buf *, struct err *);
int vo_native_rename(struct vo_native *, const struct vo_request *,
		     struct buf *, struct err *);
int vo_native_link(struct vo_native *, const struct vo_request *, struct buf *,
		   struct err *);
int vo_native_remove(struct vo_native *, const struct vo_request *,
		     struct buf *, struct err *);
int vo_native_set_short(struct vo_native *, const struct vo_request *,
			struct buf *, struct err *);
int vo_native_set_times(struct vo_native *, const struct vo_request *,
			struct buf *, struct err *);
int vo_native_set_attributes(struct vo_native *, const struct vo_request *,
			     struct buf *, struct err *);
int vo_native_security(struct vo_native *, const struct vo_request *,
		       struct buf *, struct err *);
int vo_native_set_security(struct vo_native *, const struct vo_request *,
			   struct buf *, struct err *);
int vo_native_reparse(struct vo_native *, const struct vo_request *,
		      struct buf *, struct err *);
int vo_native_set_reparse(struct vo_native *, const struct vo_request *,
			  struct buf *, struct err *);
int vo_native_object_id(struct vo_native *, const struct vo_request *,
			struct buf *, struct err *);
int vo_native_set_object_id(struct vo_native *, const struct vo_request *,
			    struct buf *, struct err *);

#endif /* VOLUME_NATIVE_H */
