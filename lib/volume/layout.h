/* layout.h - which clusters hold which file
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Read from an NTFS volume's $MFT, without opening a single file: what has
 * clusters of its own, and where they lie.  For cutting a disk along its files
 * and for telling what a place on it is.  Nothing here decides what is
 * in a file: whoever reads a lie in an MFT record is told a wrong place, and gets the
 * bytes of that place.
 *
 * Facts: libfsntfs, "New Technologies File System (NTFS) format" (MFT entry,
 * attributes, data runs, file name attribute), checked against sleuthkit's istat.
 */
#ifndef VOLUME_LAYOUT_H
#define VOLUME_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct dk;
struct err;

/* Types of attributes ([MS-FSCC] 2.4 names them as streams). */
enum {
	VO_ATTR_DATA = 0x80,
	VO_ATTR_INDEX = 0xa0,		/* a folder's entries */
	VO_ATTR_BITMAP = 0xb0,
};

/* Flags of an attribute. */
enum {
	VO_STREAM_COMPRESSED = 0x0001,
	VO_STREAM_ENCRYPTED = 0x4000,
	VO_STREAM_SPARSE = 0x8000,
};

/* Records with fixed numbers. */
enum {
	VO_RECORD_MFT = 0, VO_RECORD_LOGFILE = 2, VO_RECORD_ROOT = 5,
	VO_RECORD_BITMAP = 6, VO_RECORD_FIRST_USER = 16,
};

/* Bytes [off, off + len) of a stream lie at `at` on the disk (not the volume).
 * A stream's runs ascend by off; what they leave out is sparse. */
struct vo_run {
	uint64_t at, off, len;
};

/* An attribute with clusters of its own. */
struct vo_placed {
	uint64_t record;	/* MFT number of its file */
	uint32_t type;		/* VO_ATTR_... */
	uint32_t flags;		/* VO_STREAM_... */
	size_t name;		/* its name in vo_layout.text; 0: none */
	uint64_t size;		/* bytes; 0 where an MFT record lies about it */
	uint64_t valid;		/* bytes that were ever written */
	size_t run, runs;	/* in vo_layout.run */
};

/* What an MFT record says of itself. */
struct vo_node {
	uint64_t parent;	/* MFT number */
	size_t name;		/* in vo_layout.text; 0: none */
	uint16_t sequence, parent_sequence;
	bool used, is_folder;
	bool name_is_short;	/* it has no other */
};

struct vo_layout {
	struct vo_placed *placed;	/* by record, type, name */
	size_t count, cap;
	struct vo_run *run;
	size_t runs, run_cap;
	struct vo_node *node;		/* by MFT number */
	size_t nodes;
	char *text;			/* names, WTF-8, each with its NUL */
	size_t text_len, text_cap;
	uint32_t cluster;		/* bytes */
	uint64_t at, size;		/* of the volume */
	uint64_t skipped;		/* records that made no sense */
};

#define VO_LAYOUT_EMPTY { .placed = NULL }
#define VO_LAYOUT_SCOPED SCOPED(vo_layout_done)

void vo_layout_done(struct vo_layout *l);

/*
 * Read the layout of the NTFS volume in [at, at + size) of a disk.  ERR_CORRUPT
 * when it has no readable $MFT; single records that make no sense are counted
 * and left out.
 */
MUST_CHECK int vo_layout_read(struct dk *d, uint64_t at, uint64_t size,
			      struct vo_layout *ret, struct err *e);

/* The path of a record, as volume.h spells them; the root is "".  For a record
 * that hangs on nothing, "?/NUMBER".  The caller frees. */
MUST_CHECK char *vo_layout_path(const struct vo_layout *l, uint64_t record,
				struct err *e);

/* The unnamed data of a record, or NULL when it has no clusters. */
const struct vo_placed *vo_layout_data(const struct vo_layout *l,
				       uint64_t record);

/*
 * Which clusters are in use, a bit each, lowest first, from $Bitmap; the caller
 * frees *ret.  *ret_clusters is how many bits there are.
 */
MUST_CHECK int vo_layout_used(struct dk *d, const struct vo_layout *l,
			      uint8_t **ret, uint64_t *ret_clusters,
			      struct err *e);

#endif /* VOLUME_LAYOUT_H */
