/* mount.h - a disk's files, or the disk, as a file system of this machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each volume that can be read is a folder below the mount point: "C" where the
 * Windows there gives it that letter, else the number of its partition, "2".
 * Raw, there is one file instead, "disk.raw".  Nothing can be written.
 *
 * FUSE asks one question at a time, since a volume is used by one thread.  What
 * a guest's names and links say never leads out of their volume.
 */
#ifndef IMGTOOL_MOUNT_H
#define IMGTOOL_MOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct dk;
struct err;
struct files;
struct vo;
struct wn_volume;

/* A volume and the folder that shows it. */
struct mount_folder {
	char name[16];
	const struct wn_volume *volume;
};

struct mount {
	struct dk *disk;
	const struct files *files;	/* NULL: raw */
	struct mount_folder *folder;	/* owned */
	size_t folders;
};

#define MOUNT_EMPTY { .disk = NULL }
#define MOUNT_SCOPED SCOPED(mount_done)
void mount_done(struct mount *m);

/* Name the folders; `files` NULL: raw.  Both outlive it. */
MUST_CHECK int mount_prepare(struct dk *disk, const struct files *files,
			     struct mount *ret, struct err *e);

/*
 * Show it at `dir`, an existing folder, until it is unmounted or a signal asks
 * to stop; `ready` is told when it can be used.
 */
typedef void (*mount_ready_fn)(void *arg, const char *dir);
MUST_CHECK int mount_run(struct mount *m, const char *dir, mount_ready_fn ready,
			 void *arg, struct err *e);

/* ---- for its own files ---------------------------------------------------- */

struct fuse_operations;
extern const struct fuse_operations mount_file_ops, mount_raw_ops;

/* The errno for an error, negative, after telling the user where he should
 * know. */
int mount_fail(const struct err *e);

/*
 * The volume and the path in it for a path below the mount point, which begins
 * with a slash.  1; 0 for the mount point itself; -ENOENT.
 */
int mount_find(const struct mount *m, const char *path, struct vo **ret,
	       const char **ret_inside);

/* Where a link or junction leads, as a relative path that stays below the mount
 * point; the caller frees. */
MUST_CHECK char *mount_link(const struct mount *m, const char *path,
			    struct err *e);

/* Extended attributes, as FUSE asks for them. */
int mount_getxattr(const char *path, const char *name, char *value, size_t size);
int mount_listxattr(const char *path, char *list, size_t size);

#endif /* IMGTOOL_MOUNT_H */
