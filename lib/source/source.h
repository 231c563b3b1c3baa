/* source.h - what a DISK operand names
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A DISK is a path (it contains a slash, or a file of that name exists), an
 * nbd+unix:// address, or else NAME, NAME:VERSION or NAME:TAG in the
 * repository.  All of them become a disk of lib/disk; a stored version is read
 * straight from its encrypted chunks and can not be written.
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
 * version, --format and --state for a file; flags are dk_open()'s.  A version
 * with DK_WRITE is ERR_UNSAFE: versions never change.
 */
MUST_CHECK struct dk *src_open(const struct cli_args *a, const char *operand,
			       unsigned flags, struct err *e);

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
