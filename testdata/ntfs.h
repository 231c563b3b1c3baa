/* ntfs.h - filling an NTFS volume through libntfs-3g
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A volume fails stickily: after the first failure, which is in the error
 * that nt_open() was given, every call does nothing; nt_close() tells.
 * Paths are UTF-8 with '/' between names, from the root, without a leading
 * one.  Parents must exist.
 */
#ifndef TESTDATA_NTFS_H
#define TESTDATA_NTFS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "testdata/acl.h"

struct err;
struct nt;

enum {			/* FILE_ATTRIBUTE_... */
	NT_READONLY = 0x1,
	NT_HIDDEN = 0x2,
	NT_SYSTEM = 0x4,
	NT_ARCHIVE = 0x20,
	NT_SPARSE = 0x200,
	NT_COMPRESSED = 0x800,
	NT_NOT_INDEXED = 0x2000,
};

/* Four times as FILETIMEs. */
struct nt_times {
	uint64_t created, written, accessed, changed;
};

/* A day in FILETIME ticks. */
#define NT_DAY	UINT64_C(864000000000)

/* Format the file `path`, whose volume starts at that sector of its disk. */
struct nt_format {
	const char *label;		/* NULL for none */
	uint64_t start;			/* sector */
	unsigned heads;
};
MUST_CHECK int nt_format(const char *path, const struct nt_format *f,
			 struct err *e);

/* `born`: the FILETIME of what the volume's first files are. */
MUST_CHECK struct nt *nt_open(const char *path, uint64_t born, struct err *e);
MUST_CHECK int nt_close(struct nt *v, bool dirty);
bool nt_bad(const struct nt *v);

/* What nt_dir() and nt_put() give from now on. */
void nt_security(struct nt *v, const struct sd *dir, const struct sd *file);
void nt_born(struct nt *v, uint64_t day);	/* times spread over that day */

void nt_dir(struct nt *v, const char *path, uint32_t attrib);
/* A folder and its missing parents; one that exists is fine. */
void nt_dirs(struct nt *v, const char *path);
void nt_put(struct nt *v, const char *path, const void *data, size_t len,
	    uint32_t attrib);

/* `size` bytes of which only [at, at + len) is written: the rest is a hole, or
 * (solid) allocated space that no one has written to. */
void nt_put_part(struct nt *v, const char *path, uint64_t size, bool solid,
		 uint64_t at, const void *data, size_t len, uint32_t attrib);

/* New bytes for the beginning of a file that is at least so long. */
void nt_rewrite(struct nt *v, const char *path, const void *data, size_t len);
void nt_append(struct nt *v, const char *path, const void *data, size_t len);
/* Make a file shorter; its rest stays in the clusters. */
void nt_truncate(struct nt *v, const char *path, uint64_t size);
void nt_stream(struct nt *v, const char *path, const char *name,
	       const void *data, size_t len);
void nt_link(struct nt *v, const char *path, const char *also);
/* A junction, or (link) a symbolic link to a folder. */
void nt_junction(struct nt *v, const char *path, const char *target, bool link,
		 uint32_t attrib);
/* Any reparse point: tag, length, data. */
void nt_reparse(struct nt *v, const char *path, const void *data, size_t len);
void nt_protect(struct nt *v, const char *path, const struct sd *sd);
void nt_stamp(struct nt *v, const char *path, const struct nt_times *t);
void nt_short_name(struct nt *v, const char *path, const char *name);
void nt_remove(struct nt *v, const char *path);

/* The first sector of a file's data, counted in the volume; 0 on failure. */
uint64_t nt_first_sector(struct nt *v, const char *path);
/* The file's number in the MFT with its sequence number; 0 on failure. */
uint64_t nt_reference(struct nt *v, const char *path);

#endif /* TESTDATA_NTFS_H */
