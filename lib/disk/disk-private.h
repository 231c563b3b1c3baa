/* disk-private.h - what the files of this room share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DISK_DISK_PRIVATE_H
#define DISK_DISK_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "disk/disk.h"
#include "disk/tx.h"

/* The overlay releases its commit's argument. */
void dk_overlay_drops(struct dk *overlay, void (*drop)(void *arg));

/* ---- formats (format.c) --------------------------------------------------- */

struct dk_format {
	const char *name;	/* as users write it */
	const char *qemu;	/* as QEMU does; NULL: we read it ourselves */
	const char *suffix;
};

/*
 * What a file is: `asked`, or where that is NULL what its first bytes and its
 * suffix agree on.  Also checks that the files it refers to lie in its own
 * folder, and with `write` that the format can be rewritten.
 */
MUST_CHECK int dk_format_of(const char *path, int fd, const char *asked,
			    bool write, const struct dk_format **ret,
			    struct err *e);

/* ERR_CORRUPT for an image file that ends before what its tables name
 * (whole.c).  fd is the file's, of format f. */
MUST_CHECK int dk_whole(const char *path, int fd, const struct dk_format *f,
			struct err *e);

/* ---- the disks under the overlay ------------------------------------------ */

/* A file or device as it is; owns fd, also when this fails. */
MUST_CHECK struct dk *dk_raw(const char *path, int fd, bool write,
			     struct err *e);

/* An image through qemu-nbd.  It is opened for reading; dk_nbd_rewrite() starts
 * the server again for writing. */
MUST_CHECK struct dk *dk_nbd_image(const char *path,
				   const struct dk_format *format,
				   struct err *e);
MUST_CHECK int dk_nbd_rewrite(struct dk *d, struct err *e);
bool dk_is_nbd_image(const struct dk *d);

/* Is it an address rather than a path? */
bool dk_is_address(const char *path);

/* nbd+unix:///EXPORT?socket=PATH */
MUST_CHECK struct dk *dk_nbd_uri(const char *uri, bool write, struct err *e);

/* ssh://[user@]host[:port]/PATH, for reading: nbdkit there, ssh between. */
MUST_CHECK struct dk *dk_nbd_ssh(const char *address, struct err *e);

/* QEMU's lock bytes (lock.c).  dk_lock() holds them as long as fd is open;
 * dk_lock_probe() only looks.  ERR_UNSAFE when somebody else is there. */
MUST_CHECK int dk_lock(const char *path, int fd, bool write, struct err *e);
MUST_CHECK int dk_lock_probe(const char *path, int fd, bool write,
			     struct err *e);

/* ---- transactions (tx.c) -------------------------------------------------- */

/*
 * Take back what was interrupted.  A disk that is not to be written gets an overlay
 * with the old bytes; *d is replaced then.
 */
MUST_CHECK int dk_tx_recover(struct dk **d, const char *dir, bool write,
			     struct err *e);

/* dk_commit_fn; arg is the folder of the logs. */
MUST_CHECK int dk_tx_commit(struct dk *overlay, void *arg, const char *what,
			    struct err *e);

#endif /* DISK_DISK_PRIVATE_H */
