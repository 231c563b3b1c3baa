/* blockd.h - the block server: nbdkit with our plugin, in a jail
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * It reads the repository, writes the guest's layer, and has nothing else.  The
 * listening socket belongs to the supervisor, so QEMU can connect again the
 * moment another server takes the place of one that died.
 */
#ifndef RUNTIME_BLOCKD_H
#define RUNTIME_BLOCKD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "runtime/jail.h"
#include "runtime/keyd.h"

struct err;

struct rt_blockd {
	const char *repo;	/* absolute */
	const char *image;	/* NAME[:VER|:TAG] */
	const char *layers;	/* absolute; holds the layer; NULL: read only */
	const char *layer;	/* its name there */
	const char *user;	/* the version of the second disk; NULL: none */
	const char *root;	/* mount point of the jail */
	const char *plugin;	/* absolute */
	const char *nbdkit;	/* absolute */
	enum rt_rung rung;
	int listener, log;
};

/* What a server says when it is ready. */
struct rt_blockd_said {
	char version[128];	/* NAME:NUMBER */
	uint64_t size;		/* of the disk, in bytes */
};

/* Start a server; returns when it serves, or the error that keeps it from it,
 * as the plugin told it. */
MUST_CHECK int rt_blockd_start(const struct rt_blockd *b,
			       const struct rt_keyd *k, pid_t *ret,
			       struct rt_blockd_said *ret_said, struct err *e);

/*
 * Does the key open this image?  A server of its own is started, without a
 * layer, and ended; *ret_said has the version that the name means now.  `dir`
 * holds its socket meanwhile, and `root` is the mount point of its jail.
 */
MUST_CHECK int rt_blockd_try(const char *repo, const char *image,
			     const char *dir, const char *root,
			     const struct rt_keyd *k,
			     struct rt_blockd_said *ret_said, struct err *e);

/* The plugin beside this program in a build, else where it is installed. */
MUST_CHECK char *rt_blockd_plugin(struct err *e);

#endif /* RUNTIME_BLOCKD_H */
