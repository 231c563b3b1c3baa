/* disk.h - a disk as bytes: raw files, devices, image formats, overlays
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A disk is never written in place.  One that is opened for writing collects
 * what is written in an overlay, which its own reads see; dk_commit() makes it
 * permanent as one transaction (tx.h), and releasing the disk without a commit
 * rolls everything back.
 *
 * A disk is used by one thread at a time.
 */
#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct dk;
struct err;

/* How to open. */
enum {
	DK_WRITE = 1 << 0,	/* to be committed */
	DK_DRY = 1 << 1,	/* writes are taken, but can not be committed */
};

/* What extents are made of. */
enum {
	DK_ZERO = 1 << 0,	/* reads as zeros */
	DK_HOLE = 1 << 1,	/* not allocated */
};

/* One extent: [at, at + len) is alike; neighbours may have the same kind.
 * Return 0 to go on, -1 to stop with that error. */
typedef int (*dk_extent_fn)(void *arg, uint64_t at, uint64_t len, unsigned kind,
			    struct err *e);

/*
 * What stands behind a disk.  Ranges were checked against the size, and len is
 * at least 1.  write, flush and extents may be NULL: not writable, nothing to
 * do, one extent of data.  A read that fails names the sector.
 */
struct dk_ops {
	int (*read)(struct dk *d, void *buf, size_t len, uint64_t at,
		    struct err *e);
	int (*write)(struct dk *d, const void *buf, size_t len, uint64_t at,
		     struct err *e);
	int (*flush)(struct dk *d, struct err *e);
	int (*extents)(struct dk *d, uint64_t at, uint64_t len,
		       dk_extent_fn fn, void *arg, struct err *e);
	int (*commit)(struct dk *d, const char *what, struct err *e);
	void (*close)(struct dk *d);	/* releases own */
};

/* Read the fields, never write them. */
struct dk {
	const struct dk_ops *ops;
	void *own;		/* what ops need */
	char *name;		/* for messages and logs */
	uint64_t size;		/* bytes */
	uint32_t sector;	/* bytes a logical sector: 512 or 4096 */
	bool writable;
};

#define DK_SCOPED SCOPED(dk_free)

/* A disk of another room's making, which owns `own` through ops->close (also
 * when this fails). */
MUST_CHECK struct dk *dk_new(const struct dk_ops *ops, void *own,
			     const char *name, uint64_t size, uint32_t sector,
			     struct err *e);
void dk_free(struct dk *const *d);

/*
 * Open a file, a block device, an nbd+unix:// address, or for reading only
 * ssh://[user@]host[:port]/PATH, where nbdkit must be installed on that host.
 *
 * format: raw, qcow2, vhd, vhdx, vmdk, vdi; NULL: the first bytes and the
 * file's suffix must agree on one (else ERR_USAGE), and a device is raw.
 * state: the directory for the logs of disks that are no files (--state).
 *
 * A disk that is open for writing elsewhere (also in a running QEMU, whose
 * locks these are) is refused with ERR_UNSAFE, and so is, for writing, one
 * open for reading elsewhere.  What an interrupted commit wrote is taken back by
 * an open with DK_WRITE, and hidden from any other.
 */
MUST_CHECK struct dk *dk_open(const char *path, const char *format,
			      const char *state, unsigned flags, struct err *e);

/* All of [at, at + len); a range that leaves the disk is ERR_CORRUPT. */
MUST_CHECK int dk_read(struct dk *d, void *buf, size_t len, uint64_t at,
		       struct err *e);
MUST_CHECK int dk_write(struct dk *d, const void *buf, size_t len, uint64_t at,
			struct err *e);
MUST_CHECK int dk_flush(struct dk *d, struct err *e);

/* Call fn for every extent of [at, at + len), in order, without gaps. */
MUST_CHECK int dk_extents(struct dk *d, uint64_t at, uint64_t len,
			  dk_extent_fn fn, void *arg, struct err *e);

/*
 * Make what was written permanent; `what` is one line for the history (the
 * command that did it).  Nothing written: nothing happens.  Afterwards the disk
 * may be written and committed again.
 */
MUST_CHECK int dk_commit(struct dk *d, const char *what, struct err *e);

/*
 * A writable disk over another one, which it owns (also when this fails).
 * What is written lies in an unlinked file under $TMPDIR, at 4 KiB.  commit is
 * what dk_commit() calls with the overlay; NULL: it cannot be committed.
 */
typedef int (*dk_commit_fn)(struct dk *overlay, void *arg, const char *what,
			    struct err *e);
MUST_CHECK struct dk *dk_overlay(struct dk *under, dk_commit_fn commit,
				 void *arg, struct err *e);

/* The disk under an overlay; NULL when it is no overlay. */
struct dk *dk_under(struct dk *d);

/* Call fn for every stretch whose sectors now differ from the disk under it
 * (kind is 0), merged, in order. */
MUST_CHECK int dk_changes(struct dk *overlay, dk_extent_fn fn, void *arg,
			  struct err *e);

/* Forget what was written. */
void dk_rollback(struct dk *overlay);

/* Bytes as a disk: for tests, and for small disks made in memory.  Owns
 * nothing; `bytes` must outlive it. */
MUST_CHECK struct dk *dk_over_bytes(const char *name, const void *bytes,
				    size_t len, struct err *e);

#endif /* DISK_DISK_H */
