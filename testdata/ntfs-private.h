/* ntfs-private.h - what ntfs.c and ntfs_more.c share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef TESTDATA_NTFS_PRIVATE_H
#define TESTDATA_NTFS_PRIVATE_H

#include <stdbool.h>
#include <sys/stat.h>	/* ntfs-3g's own needs it first */

#include <ntfs-3g/types.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/volume.h>

#include "testdata/ntfs.h"

struct nt {
	ntfs_volume *vol;
	struct err *e;
	struct sd dir_sd, file_sd;
	uint64_t day;
};

/* What a new file holds: see nt_put_part(). */
struct content {
	const uint8_t *data;
	size_t len;
	uint64_t size, at;
	bool solid;
};

ntfs_inode *nt_parent(struct nt *v, const char *path, const char **ret_leaf);
ntfs_inode *nt_lookup(struct nt *v, const char *path);
void nt_close_inode(struct nt *v, ntfs_inode *ni, const char *path);
void nt_stamp_inode(struct nt *v, ntfs_inode *ni, const char *path);

/* Give a new file the short name that Windows would. */
void nt_name_it(struct nt *v, const char *path, const char *leaf);

#endif /* TESTDATA_NTFS_PRIVATE_H */
