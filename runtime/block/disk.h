/* disk.h - the disks that a block server serves
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each is a stored version, and over it the layer that takes the guest's
 * writes.
 */
#ifndef RUNTIME_BLOCK_DISK_H
#define RUNTIME_BLOCK_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/key.h"
#include "store/image.h"
#include "store/layer.h"
#include "store/repo.h"

struct err;

/* Where all of a server's disks come from. */
struct bd_store {
	struct cx_key key;
	struct st_repo *repo;
};

#define BD_STORE_EMPTY { .key = CX_KEY_EMPTY }

void bd_store_done(struct bd_store *s);

/* Open the repository with the key that comes through key_fd.  In place: the
 * repository keeps a pointer to the key. */
MUST_CHECK int bd_store_open(struct bd_store *ret, const char *repo, int key_fd,
			     struct err *e);

struct bd_disk {
	struct st_image *image;
	struct st_layer *layer;	/* NULL: read only */
};

#define BD_DISK_EMPTY { .image = NULL }

void bd_disk_done(struct bd_disk *d);

/* Open a version, and the layer at `layer`, which is made when it is missing;
 * NULL: none.  The store outlives the disk. */
MUST_CHECK int bd_disk_open(struct bd_disk *ret, struct bd_store *s,
			    const char *version, const char *layer,
			    struct err *e);

uint64_t bd_disk_size(const struct bd_disk *d);

MUST_CHECK int bd_disk_read(struct bd_disk *d, void *buf, size_t len,
			    uint64_t at, struct err *e);
MUST_CHECK int bd_disk_extents(struct bd_disk *d, uint64_t at, uint64_t len,
			       st_extent_fn fn, void *arg, struct err *e);

#endif /* RUNTIME_BLOCK_DISK_H */
