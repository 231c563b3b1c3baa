/* remote-private.h - what the kinds of remote share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_REMOTE_PRIVATE_H
#define DELTA_REMOTE_PRIVATE_H

#include "delta/remote.h"

/* One kind of remote.  A function that is NULL is not possible with it. */
struct dl_remote_kind {
	int (*get)(struct dl_remote *r, struct dl_get *get, size_t count,
		   struct progress *p, struct err *e);
	int (*slurp)(struct dl_remote *r, const char *name, size_t max,
		     struct buf *out, struct err *e);
	int (*size)(struct dl_remote *r, const char *name, uint64_t *ret,
		    struct err *e);
	int (*put)(struct dl_remote *r, const char *name, int fd,
		   bool replace, struct progress *p, struct err *e);
	void (*close)(struct dl_remote *r);
};

struct dl_remote {
	const struct dl_remote_kind *kind;
	char *name;			/* for messages */
	struct dl_remote_how how;
	uint64_t began_ms, passed;	/* for the limit: since when, how much */
	void *own;			/* the kind's */
};

extern const struct dl_remote_kind dl_remote_http, dl_remote_dir,
	dl_remote_ssh;

MUST_CHECK int dl_remote_open_http(struct dl_remote *r, const char *url,
				   struct err *e);
MUST_CHECK int dl_remote_open_dir(struct dl_remote *r, const char *path,
				  struct err *e);
MUST_CHECK int dl_remote_open_ssh(struct dl_remote *r, const char *url,
				  struct err *e);

/* n bytes passed: counts them, keeps to the limit, sees whether to stop. */
MUST_CHECK int dl_remote_pass(struct dl_remote *r, size_t n,
			      struct progress *p, struct err *e);

/* Milliseconds of a clock that only goes on. */
uint64_t dl_remote_clock(void);

/* An object that a signer promised, but is not all there. */
COLD int dl_remote_short(const struct dl_remote *r, const struct dl_get *g,
			 struct err *e);

#endif /* DELTA_REMOTE_PRIVATE_H */
