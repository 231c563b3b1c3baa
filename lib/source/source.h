/* source.h - what a DISK operand names
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A DISK is a path (it contains a slash, or a file of that name exists), an
 * nbd+unix:// address, or else NAME, NAME:VERSION or NAME:TAG in the
 * repository.  All of them become a disk of lib/disk.  A stored version is read
 * straight from its encrypted chunks and never changes: what is written to it is
 * committed as the next version of its image.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include <stdbool.h>

#include "base/attr.h"

struct cli_args;
struct cx_key;
struct dk;
struct err;
struct st_repo;

/* Is the operand a version's name rather than a file or an address? */
bool src_is_version(const char *operand);

/*
 * Open a DISK as the command line says: repository, key and passphrase for a
 * version, --format and --state for a file; flags are dk_open()'s.
 *
 * dk_commit() of a version that was opened with DK_WRITE makes the next version of
 * its image or, with --as NEW, the first of a new one; it reads what was written
 * and little more.  Only an administrator's key can (ERR_AUTH).
 *
 * --engine and --volume-key hold from here on for every volume that is opened.
 */
MUST_CHECK struct dk *src_open(const struct cli_args *a, const char *operand,
			       unsigned flags, struct err *e);

/* The version that the last dk_commit() of such a disk made ("win7:4"), for the
 * program to print; NULL: the disk is no version, or nothing was written. */
const char *src_made(struct dk *d);

/* What --engine and --volume-key say, told to lib/volume; src_open() does it. */
MUST_CHECK int src_volumes(const struct cli_args *a, struct err *e);

/* The repository that the command line names, opened with its key where one is
 * given.  *key is the caller's, empty before, and must outlive the repository. */
MUST_CHECK struct st_repo *src_repo(const struct cli_args *a,
				    struct cx_key *key, struct err *e);

/* The same, and a key must have been given. */
MUST_CHECK struct st_repo *src_repo_with_key(const struct cli_args *a,
					     struct cx_key *key, struct err *e);

/* A version of an unlocked repository, which must outlive it, as a disk. */
MUST_CHECK struct dk *src_version(struct st_repo *r, const char *version,
				  struct err *e);

#endif /* SOURCE_SOURCE_H */
