/* fat_dir.h - the entries of a FAT folder
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef VOLUME_FAT_DIR_H
#define VOLUME_FAT_DIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;

struct vo_fat_entry {
	char *name;		/* owned; the long one where there is one */
	char short_name[40];	/* "" where it is the name */
	uint64_t id;
	uint32_t attributes, cluster, size;
	uint64_t created, modified, accessed;	/* FILETIME */
};

struct vo_fat_dir {
	size_t count, cap;
	struct vo_fat_entry *at;	/* owned; sorted as Windows does */
};

#define VO_FAT_DIR_EMPTY { .at = NULL }
#define VO_FAT_DIR_SCOPED SCOPED(vo_fat_dir_done)

/* Parse the bytes of a folder, up to its end mark; id is that of its first
 * entry, the next have the next numbers. */
MUST_CHECK int vo_fat_dir_parse(const uint8_t *bytes, size_t len, uint64_t id,
				struct vo_fat_dir *ret, struct err *e);
void vo_fat_dir_done(struct vo_fat_dir *d);

/* By its long or short name, without case. */
const struct vo_fat_entry *vo_fat_dir_find(const struct vo_fat_dir *d,
					   const char *name);

/* As volume.c parses them. */
void vo_fat_put_stat(const struct vo_fat_entry *x, struct buf *answer);
void vo_fat_put_stream(const struct vo_fat_entry *x, struct buf *answer);
void vo_fat_dir_put(const struct vo_fat_dir *d, struct buf *answer);

#endif /* VOLUME_FAT_DIR_H */
