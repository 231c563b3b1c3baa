/* volume.h - the files inside a volume of a disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Paths are WTF-8 with '/' between the parts, from the volume's root; a
 * leading '/' may be left out and "" is the root.  They are looked up as
 * Windows does: an exact match first, else without regard to case; short names
 * are found too.  Where a path names data, "path:stream" is a named stream.
 *
 * NTFS is read and written by libntfs-3g; FAT12, FAT16 and FAT32 are read, and an
 * EFI system partition is written by mtools, in a copy of its own.
 * Each open volume has a process of its own, which is sandboxed before it sees a
 * byte of the disk; it may ask for sectors of its partition and write to them,
 * nothing else.  What it answers is checked like any foreign input.
 *
 * A volume is used by one thread at a time.  What was written reaches the disk
 * completely with vo_close(), which comes before dk_commit().
 */
#ifndef VOLUME_VOLUME_H
#define VOLUME_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct dk;
struct err;
struct vo;

enum {
	VO_NAME_MAX = 255,	/* UTF-16 units of one name */
	VO_PATH_MAX = 98304,	/* bytes of a path */
	VO_DEPTH_MAX = 512,	/* folders in a path */
};

/* File attributes that matter here: [MS-FSCC] 2.6. */
enum {
	VO_READONLY = 0x1,
	VO_HIDDEN = 0x2,
	VO_SYSTEM = 0x4,
	VO_DIRECTORY = 0x10,
	VO_ARCHIVE = 0x20,
	VO_TEMPORARY = 0x100,
	VO_SPARSE = 0x200,
	VO_REPARSE = 0x400,
	VO_COMPRESSED = 0x800,
	VO_OFFLINE = 0x1000,
	VO_NOT_INDEXED = 0x2000,
	VO_ENCRYPTED = 0x4000,
	/* those that vo_set_attributes() changes */
	VO_SETTABLE = VO_READONLY | VO_HIDDEN | VO_SYSTEM | VO_ARCHIVE |
		      VO_TEMPORARY | VO_OFFLINE | VO_NOT_INDEXED,
};

/* Reparse tags: [MS-FSCC] 2.1.2.1. */
enum {
	VO_TAG_SYMLINK = (int)0xa000000c,
	VO_TAG_MOUNT_POINT = (int)0xa0000003,	/* junctions too */
	VO_TAG_WOF = (int)0x80000017,		/* CompactOS */
	VO_TAG_DEDUP = (int)0x80000013,
};

/* ---- what a partition holds ---------------------------------------------- */

enum vo_kind {
	VO_UNKNOWN,
	VO_NTFS,
	VO_FAT,			/* FAT12, FAT16, FAT32 */
	VO_EXFAT,
	VO_BITLOCKER,
	VO_REFS,
	VO_EXT,			/* ext2, ext3, ext4 */
	VO_LVM,			/* a physical volume: no files by itself */
	VO_DYNAMIC,		/* of a dynamic disk: likewise; the partition
				 * table tells, not the probe */
};

/* By its first sectors. */
MUST_CHECK int vo_probe(struct dk *d, uint64_t at, uint64_t size,
			enum vo_kind *ret, struct err *e);
const char *vo_kind_name(enum vo_kind kind);

/* ---- open and close ------------------------------------------------------ */

enum {
	VO_WRITE = 1 << 0,
	VO_ESP = 1 << 1,	/* an EFI system partition: FAT may be written */
};

#define VO_SCOPED SCOPED(vo_free)

/*
 * Open the volume in [at, at + size) of the disk, which must outlive it.
 * With VO_WRITE the disk must be writable, and a volume that is dirty (its log
 * holds work to replay, or chkdsk is due) or hibernated is ERR_UNSAFE.
 * ERR_UNSUPPORTED: a kind of volume that needs another engine.
 */
MUST_CHECK struct vo *vo_open(struct dk *d, uint64_t at, uint64_t size,
			      unsigned flags, struct err *e);

/* Write what is still in memory to the disk, and release.  *v is NULL after,
 * also on failure.  A volume that was only read may just be freed. */
MUST_CHECK int vo_close(struct vo **v, struct err *e);
void vo_free(struct vo *const *v);

struct vo_facts {
	enum vo_kind kind;
	unsigned major, minor;	/* NTFS version */
	char label[VO_NAME_MAX * 3 + 1];
	uint64_t serial;	/* of the boot sector */
	uint32_t sector, cluster;	/* bytes */
	uint32_t mft_record;		/* bytes */
	uint64_t clusters, free_clusters;
	uint16_t heads, sectors_per_track;	/* as the boot sector says */
	uint32_t hidden_sectors;
	bool dirty;		/* the volume flag */
	bool log_dirty;		/* $LogFile was not closed */
	bool hibernated;	/* hiberfil.sys holds a sleeping Windows */
	bool shadow_copies;	/* a catalogue at 0x1E00 */
};

/* Belong to the volume. */
const struct vo_facts *vo_facts(const struct vo *v);
const char *vo_name(const struct vo *v);	/* for messages */

/* ---- look ---------------------------------------------------------------- */

/* FILETIME: 100 ns since 1601, UTC. */
struct vo_times {
	uint64_t created, modified, changed, accessed;
};

struct vo_stat {
	uint64_t id;		/* MFT reference: record | sequence << 48; two
				 * names with one id are hard links */
	uint64_t size, allocated;	/* bytes, of the unnamed stream */
	uint32_t attributes;
	uint32_t tag;		/* reparse tag, or 0 */
	uint32_t links;		/* names, without short ones */
	uint32_t security_id;	/* of $Secure, or 0 */
	struct vo_times times;
};

struct vo_entry {
	char *name;
	char *short_name;	/* NULL when there is none */
	struct vo_stat st;
};

struct vo_list {
	size_t count;
	struct vo_entry *at;	/* owned; sorted as Windows sorts */
};

#define VO_LIST_EMPTY { .at = NULL }
#define VO_LIST_SCOPED SCOPED(vo_list_done)

/* 1 and *ret, 0 when it is not there. */
MUST_CHECK int vo_stat(struct vo *v, const char *path, struct vo_stat *ret,
		       struct err *e);

/* The path as the volume spells it, without a leading '/'; 1, 0, -1. */
MUST_CHECK int vo_spelling(struct vo *v, const char *path, char **ret,
			   struct err *e);

/* A folder's entries without ".", ".." and (in the root) the metafiles.
 * Not there, or no folder: ERR_USAGE. */
MUST_CHECK int vo_list(struct vo *v, const char *path, struct vo_list *ret,
		       struct err *e);
void vo_list_done(struct vo_list *l);

/*
 * Everything under a folder, folders before what is in them, reparse points
 * not followed.  fn gets the path relative to the volume's root.  Return 0 to
 * go on, 1 to leave out what is below this folder, -1 to stop.
 */
typedef int (*vo_walk_fn)(void *arg, const char *path,
			  const struct vo_entry *entry, struct err *e);
MUST_CHECK int vo_walk(struct vo *v, const char *path, vo_walk_fn fn, void *arg,
		       struct err *e);

/* ---- data ---------------------------------------------------------------- */

/*
 * Up to len bytes from `at`; *ret_len is less at the end only.  Compressed
 * data, CompactOS files too, is uncompressed.  A deduplicated or encrypted file is
 * ERR_UNSUPPORTED: its plain bytes are not what the stream holds.
 */
MUST_CHECK int vo_read(struct vo *v, const char *path, uint64_t at, void *buf,
		       size_t len, size_t *ret_len, struct err *e);

/*
 * The same of an encrypted (EFS) file, as it lies there: whole units of 512 bytes,
 * then two that say how many of the last unit do not count.  To move such a file
 * unread: write these bytes to a new one, its streams too, then vo_set_efs().
 */
MUST_CHECK int vo_read_raw(struct vo *v, const char *path, uint64_t at,
			   void *buf, size_t len, size_t *ret_len,
			   struct err *e);

/* The whole, at most `max` bytes; the caller frees *ret.  1, 0 absent, -1. */
MUST_CHECK int vo_slurp(struct vo *v, const char *path, size_t max,
			uint8_t **ret, size_t *ret_len, struct err *e);

/* Write at a place, growing the file; the file must be there, a stream is made. */
MUST_CHECK int vo_write(struct vo *v, const char *path, uint64_t at,
			const void *buf, size_t len, struct err *e);
MUST_CHECK int vo_truncate(struct vo *v, const char *path, uint64_t size,
			   struct err *e);

/* Make the content these bytes, creating the file if need be; an existing one
 * keeps its identity, security, attributes and streams. */
MUST_CHECK int vo_put(struct vo *v, const char *path, const void *buf,
		      size_t len, struct err *e);

struct vo_stream {
	char *name;		/* "" is the unnamed one */
	uint64_t size, allocated;
};

struct vo_streams {
	size_t count;
	struct vo_stream *at;	/* owned */
};

#define VO_STREAMS_EMPTY { .at = NULL }
#define VO_STREAMS_SCOPED SCOPED(vo_streams_done)

/* The data streams; a folder may have named ones.  What CompactOS stores of a
 * file is none of them. */
MUST_CHECK int vo_streams(struct vo *v, const char *path,
			  struct vo_streams *ret, struct err *e);
void vo_streams_done(struct vo_streams *s);

/* ---- names --------------------------------------------------------------- */

/* New files and folders inherit security as from Windows, and have no short
 * name.  The folder they go into must be there, the name must not, and it must
 * be one that Windows allows (ERR_USAGE). */
MUST_CHECK int vo_create(struct vo *v, const char *path, struct err *e);
MUST_CHECK int vo_mkdir(struct vo *v, const char *path, struct err *e);
MUST_CHECK int vo_mkdirs(struct vo *v, const char *path, struct err *e);

/* Rename or move inside the volume; the new name must not be there. */
MUST_CHECK int vo_rename(struct vo *v, const char *path, const char *to,
			 struct err *e);
MUST_CHECK int vo_link(struct vo *v, const char *path, const char *to,
		       struct err *e);

/* Remove a name (the file with its last one), an empty folder, a junction, or
 * with "path:stream" a stream. */
MUST_CHECK int vo_remove(struct vo *v, const char *path, struct err *e);
MUST_CHECK int vo_remove_tree(struct vo *v, const char *path, struct err *e);

/* NULL removes it. */
MUST_CHECK int vo_set_short_name(struct vo *v, const char *path,
				 const char *name, struct err *e);

/* ---- metadata ------------------------------------------------------------ */

MUST_CHECK int vo_set_times(struct vo *v, const char *path,
			    const struct vo_times *t, struct err *e);

/* Bits outside VO_SETTABLE stay as they are. */
MUST_CHECK int vo_set_attributes(struct vo *v, const char *path,
				 uint32_t attributes, struct err *e);

/* Whether data is stored compressed (LZNT1), of an empty file, or of files that
 * will be made in a folder. */
MUST_CHECK int vo_set_compressed(struct vo *v, const char *path,
				 bool compressed, struct err *e);

/* What the encrypting file system needs to open a file ($EFS); 1, 0 not
 * encrypted, -1.  Setting it makes a file with raw bytes an encrypted one. */
MUST_CHECK int vo_efs(struct vo *v, const char *path, uint8_t **ret,
		      size_t *ret_len, struct err *e);
MUST_CHECK int vo_set_efs(struct vo *v, const char *path, const void *efs,
			  size_t len, struct err *e);

/* A self-relative security descriptor ([MS-DTYP] 2.4.6); the caller frees. */
MUST_CHECK int vo_security(struct vo *v, const char *path, uint8_t **ret,
			   size_t *ret_len, struct err *e);
MUST_CHECK int vo_set_security(struct vo *v, const char *path,
			       const void *sd, size_t len, struct err *e);

/* REPARSE_DATA_BUFFER ([MS-FSCC] 2.1.2.2), tag and lengths included; 1, 0, -1.
 * Setting one needs an empty file or folder; NULL removes it.  CompactOS's is not
 * shown, as in Windows: only vo_stat.tag tells such a file from others, and it
 * becomes an ordinary one when it is written. */
MUST_CHECK int vo_reparse(struct vo *v, const char *path, uint8_t **ret,
			  size_t *ret_len, struct err *e);
MUST_CHECK int vo_set_reparse(struct vo *v, const char *path,
			      const void *data, size_t len, struct err *e);

/* Object id: 16 bytes, or 64 with birth ids; 1, 0, -1.  NULL removes it. */
MUST_CHECK int vo_object_id(struct vo *v, const char *path, uint8_t **ret,
			    size_t *ret_len, struct err *e);
MUST_CHECK int vo_set_object_id(struct vo *v, const char *path,
				const void *id, size_t len, struct err *e);

#endif /* VOLUME_VOLUME_H */
