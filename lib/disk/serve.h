/* serve.h - a disk handed to QEMU: an NBD server that its owner drives
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For the appliance, which sees a disk through this and nothing else.  There is
 * no thread: the owner polls the descriptors and lets the server work, so that
 * the disk keeps being used by one thread.  The client is not trusted: what it
 * asks for must lie inside the disk, and what it writes inside the ranges that
 * were allowed.
 *
 * Facts: the NBD protocol (doc/proto.md of the NBD project): fixed newstyle
 * handshake, simple replies.
 */
#ifndef DISK_SERVE_H
#define DISK_SERVE_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct dk;
struct dk_serve;
struct err;

enum {
	DK_SERVE_CLIENTS = 4,		/* connections at a time */
	DK_SERVE_FDS = DK_SERVE_CLIENTS + 1,
	DK_SERVE_REQUEST = 4 << 20,	/* bytes of one request */
};

#define DK_SERVE_SCOPED SCOPED(dk_serve_free)

/* Listen on a path that is not there yet; the disk must outlive the server.
 * The path is removed when the server is released. */
MUST_CHECK struct dk_serve *dk_serve_new(struct dk *d, const char *path,
					 struct err *e);
void dk_serve_free(struct dk_serve *const *s);

/* Let the client write to [at, at + len), which is in the disk. */
MUST_CHECK int dk_serve_allow(struct dk_serve *s, uint64_t at, uint64_t len,
			      struct err *e);

/* Fill in what to wait for; returns how many. */
size_t dk_serve_fds(const struct dk_serve *s, struct pollfd fds[DK_SERVE_FDS]);

/* Do what has become ready.  A client that talks nonsense is hung up on. */
void dk_serve_work(struct dk_serve *s, const struct pollfd *fds, size_t n);

/* The first error of the disk itself that a client was told of, or NULL; it is
 * forgotten then. */
const struct err *dk_serve_trouble(struct dk_serve *s);

#endif /* DISK_SERVE_H */
