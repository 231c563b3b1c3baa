/* io.h - whole reads, and files that appear whole or not at all
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

/* Read the whole file, at most `max` bytes.  Caller frees *ret. */
MUST_CHECK int io_slurp(const char *path, size_t max,
			uint8_t **ret, size_t *ret_len, struct err *e);

/* All of [at, at + len) of a descriptor; a file that ends inside is ERR_CORRUPT.
 * `name` is for the message. */
MUST_CHECK int io_read_at(int fd, void *buf, size_t len, uint64_t at,
			  const char *name, struct err *e);
MUST_CHECK int io_write_at(int fd, const void *buf, size_t len, uint64_t at,
			   const char *name, struct err *e);

/* Up to len bytes from a descriptor's position; fewer only where it ends. */
MUST_CHECK int io_read_some(int fd, void *buf, size_t len, const char *name,
			    size_t *ret_len, struct err *e);

/* All of len bytes to a descriptor that has no position (a pipe, stdout). */
MUST_CHECK int io_write_all(int fd, const void *buf, size_t len,
			    const char *name, struct err *e);

/* Write a whole small file: temp, fsync, rename, fsync of the directory.  An
 * existing file of that name is replaced. */
MUST_CHECK int io_put(const char *path, const void *buf, size_t len,
		      mode_t mode, struct err *e);

/* Make a directory and its missing parents; one that exists is fine. */
MUST_CHECK int io_mkdirs(const char *path, mode_t mode, struct err *e);

/* fsync of a directory, by path. */
MUST_CHECK int io_sync_dir(const char *path, struct err *e);

/* "dir/name", which the caller frees. */
MUST_CHECK char *io_join(const char *dir, const char *name, struct err *e);

/*
 * A file being written beside its final name.
 *
 * It takes that name only in io_new_commit(), after the bytes are on stable
 * storage.  Leaving scope without a commit removes it.
 */
struct io_new {
	int fd;			/* -1 when closed */
	int dir;		/* directory that holds both names; -1 when closed */
	char *name;		/* final name in dir */
	char *temp;		/* present name in dir; NULL once renamed */
};

#define IO_NEW_EMPTY { .fd = -1, .dir = -1 }
#define IO_NEW_SCOPED SCOPED(io_new_abandon)

MUST_CHECK int io_new_open(struct io_new *f, const char *path, mode_t mode,
			   struct err *e);
MUST_CHECK int io_new_write(struct io_new *f, const void *buf, size_t len,
			    struct err *e);
/* Write at a place; io_new_write() goes on at the end of what it wrote. */
MUST_CHECK int io_new_write_at(struct io_new *f, const void *buf, size_t len,
			       uint64_t at, struct err *e);
/* Append all that follows the position of a descriptor, which `name` names. */
MUST_CHECK int io_new_copy(struct io_new *f, int from, const char *name,
			   struct err *e);
/* Let it take another final name in the same directory: one that is known only
 * when all is written. */
MUST_CHECK int io_new_rename(struct io_new *f, const char *name, struct err *e);
MUST_CHECK int io_new_commit(struct io_new *f, struct err *e);
void io_new_abandon(struct io_new *f);

/* An unlinked file under $TMPDIR. */
MUST_CHECK int io_temp_file(struct err *e);

/*
 * The directory `name` ("profmig/rules") of the data that ships with the
 * programs: in the source tree for a program that runs from its build
 * directory, else below SHAREDIR.  The caller frees.
 */
MUST_CHECK char *io_shipped(const char *name, struct err *e);

/* A file of the installation that is run rather than read ("x.so"): beside the
 * program in its build directory, else in LIBDIR/halcyon.  The caller frees. */
MUST_CHECK char *io_module(const char *name, struct err *e);

#endif /* BASE_IO_H */
