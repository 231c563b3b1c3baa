/* serve.h - a block server of our plugin, started again when it dies
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_SERVE_H
#define IMGTOOL_SERVE_H

#include <stdint.h>

#include "base/attr.h"

struct cx_key;
struct err;

struct serve {
	const char *repo;
	const char *version;	/* NAME[:VER|:TAG] */
	const char *layer;	/* directory of a writable layer, made when it
				 * is missing; NULL: read only */
	const char *socket;	/* path */
	const struct cx_key *key;
};

/* Told once, when the first server is ready: which version, how many bytes. */
typedef void (*serve_ready_fn)(const struct serve *s, const char *version,
			       uint64_t size);

/*
 * Serve until SIGTERM, SIGINT or SIGHUP, which is 0.  The socket has its name
 * while it is served and no longer; one left over by a server that died is
 * replaced, one that is in use is ERR_UNSAFE, and any other file ERR_USAGE.
 * A server that dies is followed by another on the same socket, which goes on
 * with the same version; one that dies again and again is an error.
 */
MUST_CHECK int serve_run(const struct serve *s, serve_ready_fn ready,
			 struct err *e);

#endif /* IMGTOOL_SERVE_H */
