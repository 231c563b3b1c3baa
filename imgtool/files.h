/* files.h - the files of a DISK operand: what the files verbs share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_FILES_H
#define IMGTOOL_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/scope.h"
#include "volume/volume.h"

struct cli_args;
struct dk;
struct err;
struct js;
struct wn_guest;
struct wn_install;

/* A disk with its volumes open. */
struct files {
	const struct cli_args *args;
	struct dk *disk;
	bool borrowed;		/* the disk is somebody else's */
	struct wn_guest *guest;
	struct wn_install *install;	/* NULL: no Windows here */
	struct vo *main;	/* where paths without a drive begin */
};

#define FILES_EMPTY { .disk = NULL }
#define FILES_SCOPED SCOPED(files_done)
void files_done(struct files *f);

/* Open the first operand. */
MUST_CHECK int files_open(const struct cli_args *a, bool write,
			  struct files *ret, struct err *e);

/* The files of a disk that is open, which outlives them; `root` is --root's. */
MUST_CHECK int files_attach(struct dk *disk, const char *root, bool write,
			    struct files *ret, struct err *e);

/* Write what is in memory to the disk, which is not committed. */
MUST_CHECK int files_flush(struct files *f, struct err *e);

/*
 * The volume and the path in it that the user means by "C:\Users\x",
 * "\Users\x", "/Users/x" or "Users/x".  The caller frees *ret.
 */
MUST_CHECK int files_find(const struct files *f, const char *path,
			  struct vo **ret_volume, char **ret, struct err *e);

/* As above, and what is there; ERR_NO when nothing is. */
MUST_CHECK int files_need(const struct files *f, const char *path,
			  struct vo **ret_volume, char **ret,
			  struct vo_stat *ret_stat, struct err *e);

/* Write everything, as one transaction, unless --dry-run was given; of a stored
 * version, print the one that was made. */
MUST_CHECK int files_commit(struct files *f, const char *verb,
			    const char *what, struct err *e);

/*
 * Copy a file, a folder with all that is in it, or standard input ("-") to the
 * path that the user means: into it, under its own name, where it is a folder.
 */
MUST_CHECK int files_put_host(const struct files *f, const char *from,
			      const char *path, struct err *e);

/* ---- as text -------------------------------------------------------------- */

enum { FILES_TIME = 40, FILES_ATTRIBUTES = 16 };

/* "2011-04-05T12:34:56.1234567Z", or "-" for no time. */
const char *files_time(uint64_t filetime, char room[FILES_TIME]);

/* "D-HS---": directory read-only hidden system archive compressed sparse
 * link encrypted. */
const char *files_attributes(uint32_t attributes, char room[FILES_ATTRIBUTES]);

/* The members of a file's facts. */
void files_json_stat(struct js *j, const struct vo_stat *st);

#endif /* IMGTOOL_FILES_H */
