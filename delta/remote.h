/* remote.h - where images are pushed to and pulled from
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A remote is a tree of objects with nothing dynamic about it: a directory (a
 * USB stick, a network drive), an HTTP or HTTPS prefix that any static server
 * serves, or ssh://[USER@]HOST[:PORT]/PATH, which needs nothing but sshd's sftp
 * there.  An object is a file that appears whole; its name is a path below the
 * remote of letters, digits, '.', '-', '_' and '/'.  docs/FORMAT.md, "Mirrors",
 * says which there are.
 *
 * What comes from a remote is not trusted: callers bound its length and check
 * what it is.  A transfer that breaks is taken up where it broke.
 */
#ifndef DELTA_REMOTE_H
#define DELTA_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct buf;
struct err;
struct progress;
struct dl_remote;

enum {
	DL_RETRIES = 5,		/* attempts after the first, unless told */
	DL_TIMEOUT = 60,	/* seconds, likewise */
	DL_SPEED_LEAST = 1024,	/* bytes a second below which it is slow */
};

/* How to reach it.  Strings may be NULL; they outlive the remote. */
struct dl_remote_how {
	const char *cert, *cert_key;	/* this client's certificate, PEM */
	const char *ca;			/* who may vouch for the server, PEM */
	uint64_t limit;			/* bytes a second; 0: none */
	unsigned timeout;		/* seconds without enough progress */
	unsigned retries;
};

#define DL_REMOTE_SCOPED SCOPED(dl_remote_free)

/* Nothing is read or made yet, but ssh connects. */
MUST_CHECK struct dl_remote *dl_remote_open(const char *url,
					    const struct dl_remote_how *how,
					    struct err *e);
void dl_remote_free(struct dl_remote *const *r);

/* The URL as messages name it: without a password. */
const char *dl_remote_name(const struct dl_remote *r);

/* A range of an object to get. */
struct dl_get {
	const char *name;
	uint64_t at, len;	/* bytes [at, at + len) of it */
	/* Called with what comes, in order and without gaps. */
	int (*take)(void *arg, const void *data, size_t len, struct err *e);
	void *arg;
	uint64_t have;		/* bytes that came; 0 before */
	bool absent;		/* there is no such object */
};

/*
 * Get them all, several at once.  After success each has all its bytes or is
 * absent.  `p` counts bytes.  ERR_CORRUPT: the object ends too early, or the
 * server answers with something else than was asked for; ERR_AUTH: the server's
 * certificate is not trusted; ERR_SYSTEM: it did not work, also not again.
 */
MUST_CHECK int dl_remote_get(struct dl_remote *r, struct dl_get *get,
			     size_t count, struct progress *p, struct err *e);

/*
 * A whole small object, at most `max` bytes (more is ERR_CORRUPT): 1 got, *out is
 * replaced; 0 there is none.
 */
MUST_CHECK int dl_remote_slurp(struct dl_remote *r, const char *name,
			       size_t max, struct buf *out, struct err *e);

/* Its size: 1 there it is, 0 there is none.  For remotes that can be written. */
MUST_CHECK int dl_remote_size(struct dl_remote *r, const char *name,
			      uint64_t *ret, struct err *e);

/* What is to become of an object that is there already. */
enum dl_put {
	DL_PUT_KEEP,		/* it is as good, if it is as long */
	DL_PUT_REPLACE,
	DL_PUT_NEW,		/* ERR_UNSAFE: somebody else was faster */
};

/*
 * Put the contents of a descriptor, from its start to its end, on stable storage
 * under a name, where it appears whole.  1 put, 0 there already.  ERR_UNSUPPORTED:
 * that kind of remote can only be read.
 */
MUST_CHECK int dl_remote_put(struct dl_remote *r, const char *name, int fd,
			     enum dl_put how, struct progress *p,
			     struct err *e);

/* The same for bytes in memory. */
MUST_CHECK int dl_remote_put_bytes(struct dl_remote *r, const char *name,
				   const void *at, size_t len,
				   enum dl_put how, struct err *e);

#endif /* DELTA_REMOTE_H */
