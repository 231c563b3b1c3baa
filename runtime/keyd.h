/* keyd.h - the key holder: the one process that has the device's key
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * It opens the key file (asking for the passphrase if it must), shuts itself
 * in, and from then on does one thing: write the key (cx_key_give()) into a pipe
 * that its supervisor hands it, for a block server to read.  So the supervisor can start
 * a block server again without having the key and without asking anybody.
 */
#ifndef RUNTIME_KEYD_H
#define RUNTIME_KEYD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

struct rt_keyd {
	pid_t pid;		/* 0 when there is none */
	int fd;			/* our end; -1 when there is none */
	bool is_protected;	/* the key file has a passphrase */
	bool is_confined;	/* its sandbox holds, Landlock included */
};

#define RT_KEYD_EMPTY { .fd = -1 }
#define RT_KEYD_SCOPED SCOPED(rt_keyd_end)

/* Start it; returns when the key is open, or the error that it was not. */
MUST_CHECK int rt_keyd_start(const char *key_file, int passphrase_fd,
			     struct rt_keyd *ret, struct err *e);

/* Let it write the key into `pipe`, the writing end. */
MUST_CHECK int rt_keyd_give(const struct rt_keyd *k, int pipe, struct err *e);

/* Let it write a key of 32 bytes into `pipe` that only this device's key and this
 * salt give. */
#define RT_SALT_BYTES 32
MUST_CHECK int rt_keyd_derive(const struct rt_keyd *k,
			      const uint8_t salt[RT_SALT_BYTES], int pipe,
			      struct err *e);

/* End it and wait for it. */
void rt_keyd_end(struct rt_keyd *k);

#endif /* RUNTIME_KEYD_H */
