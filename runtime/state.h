/* state.h - the state directory: one folder a guest
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 *	STATE/guests/NAME/guest.yaml	what the guest is (guest.h)
 *			  bound.yaml	where its images and its key are
 *			  journal	what happened to it (journal.h)
 *			  lock		held by its supervisor while it lives
 *			  debug.log serial.log	what the guest wrote
 *			  qemu.log block.log	what the processes complained of
 *			  layers/	what the guest wrote, by version
 *			  uefi-vars	the firmware's settings, where it has them
 *			  tpm/		what its TPM keeps, where it has one
 *			  tpm-salt	which key that is encrypted with
 *			  usb.yaml	rules that `imgrun usb` added
 *			  run/		sockets of a running guest
 *
 * All of it is the owner's alone (0700, 0600).
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/scope.h"
#include "runtime/guest.h"

struct err;

/* Where the files of one guest are: absolute paths, owned. */
struct rt_place {
	char *dir, *yaml, *bound, *journal, *lock;
	char *debug_log, *serial_log, *qemu_log, *block_log;
	char *layers, *vars, *tpm, *salt, *tpm_log, *usb;
	char *run, *block, *root, *display;	/* sockets; the block server's;
					   mount point of jails */
};

#define RT_PLACE_EMPTY { .dir = NULL }
#define RT_PLACE_SCOPED SCOPED(rt_place_done)

void rt_place_done(struct rt_place *p);

/* The place of guest `name` below `state`; whether it is there is another
 * question.  A name that cannot be one is ERR_USAGE. */
MUST_CHECK int rt_place_of(const char *state, const char *name,
			   struct rt_place *ret, struct err *e);

/* What `create` found out: absolute paths, and the SMBIOS number that makes
 * the guest's hardware its own. */
struct rt_bound {
	char *repo, *key;
	char *user;	/* LINE:NUMBER of the user's disk; NULL: none */
	char uuid[37];
};

#define RT_BOUND_EMPTY { .repo = NULL }
#define RT_BOUND_SCOPED SCOPED(rt_bound_done)

void rt_bound_done(struct rt_bound *b);

/* A guest as it lies on disk. */
struct rt_stored {
	struct rt_place place;
	struct rt_guest guest;
	struct rt_bound bound;
};

#define RT_STORED_EMPTY { .place = RT_PLACE_EMPTY }
#define RT_STORED_SCOPED SCOPED(rt_stored_done)

void rt_stored_done(struct rt_stored *s);

/* ERR_NO when there is no such guest. */
MUST_CHECK int rt_stored_load(const char *state, const char *name,
			      struct rt_stored *ret, struct err *e);

/* Make a guest's folder, whole or not at all; ERR_USAGE when there is one.
 * `yaml` is the guest file's text; the journal begins with "created" and the
 * version (LINE:NUMBER) that its image's name means now. */
MUST_CHECK int rt_stored_make(const char *state, const char *name,
			      const void *yaml, size_t yaml_len,
			      const struct rt_bound *bound,
			      const char *version, struct err *e);

/* Remove a guest's folder, or what an interrupted removal left of it.  The caller
 * holds its lock. */
MUST_CHECK int rt_stored_remove(const struct rt_place *p, struct err *e);

/* Names of the guests below `state`, sorted. */
struct rt_names {
	char **at;	/* owned strings */
	size_t count, cap;
};

#define RT_NAMES_EMPTY { .at = NULL }
#define RT_NAMES_SCOPED SCOPED(rt_names_done)

void rt_names_done(struct rt_names *n);
MUST_CHECK int rt_names_load(const char *state, struct rt_names *ret,
			     struct err *e);

/* Take a guest's lock: a descriptor that holds it until closed everywhere;
 * ERR_UNSAFE when another process has it. */
MUST_CHECK int rt_lock_take(const struct rt_place *p, const char *name,
			    int *ret, struct err *e);

/* Does a process hold it?  1 or 0, without taking it. */
MUST_CHECK int rt_lock_held(const struct rt_place *p, struct err *e);

#endif /* RUNTIME_STATE_H */
