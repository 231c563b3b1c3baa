/* role.h - who may say what an image server offers: roles and their metadata
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The four roles of The Update Framework (theupdateframework/specification,
 * "Roles and PKI" 2.1): `root` says whose keys the roles are, `release` (there
 * called targets) what is offered, `snapshot` which release is the present one,
 * `timestamp` which snapshot, and is signed so often that its age tells
 * something.  What a role says is metadata: a number that only goes up, a time
 * at which it expires, a body, and signatures over all of it.
 *
 * What a client does with them, section 5 there, is in delta/trust.h; the
 * layouts are in docs/FORMAT.md, "Keys, sealing and signatures".
 */
#ifndef CRYPT_ROLE_H
#define CRYPT_ROLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "crypt/sign.h"

struct buf;
struct err;

/* The numbers are on disk. */
enum cx_role {
	CX_ROLE_ROOT = 1,
	CX_ROLE_RELEASE = 2,
	CX_ROLE_SNAPSHOT = 3,
	CX_ROLE_TIMESTAMP = 4,
	CX_ROLE_END
};

enum {
	CX_DOMAIN_BYTES = 16,		/* of the origin that metadata is about */
	CX_META_SMALL = 1 << 20,	/* bytes of any metadata but a release */
	CX_META_MAX = 64 << 20,		/* bytes of a release */
	CX_META_SIGS = 64,		/* signatures on one piece of metadata */
	CX_ROLE_DAYS_MAX = 36500,
};

/* "root", "release", "snapshot", "timestamp"; and back, 0 for another word. */
const char *cx_role_name(enum cx_role role);
enum cx_role cx_role_named(const char *word, size_t len);

struct cx_signature {
	uint8_t signer[32];		/* Ed25519 */
	uint8_t sig[CX_SIG_BYTES];
};

struct cx_meta {
	enum cx_role role;
	uint8_t domain[CX_DOMAIN_BYTES];
	uint64_t number;		/* from 1 */
	uint64_t created, expires;	/* seconds since 1970 */
	uint8_t *body;			/* owned */
	size_t body_len;
	struct cx_signature *sig;	/* owned; ascending by signer */
	size_t sigs, sig_cap;
};

#define CX_META_EMPTY { .body = NULL }
#define CX_META_SCOPED SCOPED(cx_meta_done)

void cx_meta_done(struct cx_meta *m);

/*
 * Read metadata, which must be that role's.  Looks at no signature.  `what`
 * names it in messages.  ERR_CORRUPT: no such metadata; ERR_UNSUPPORTED: newer.
 */
MUST_CHECK int cx_meta_parse(const char *what, const void *in, size_t len,
			     enum cx_role role, struct cx_meta *ret,
			     struct err *e);

MUST_CHECK int cx_meta_encode(const struct cx_meta *m, struct buf *out,
			      struct err *e);

/* Add this key's signature, or make it again. */
MUST_CHECK int cx_meta_sign(struct cx_meta *m, const struct cx_key *k,
			    struct err *e);

/* The holders of a role. */
struct cx_holders {
	struct cx_pubs keys;
	uint32_t threshold;	/* so many of them must sign, 1 to keys.count */
	uint32_t days;		/* what they sign is good for so long */
};

/* The body of root metadata. */
struct cx_root {
	struct cx_holders role[CX_ROLE_END];	/* by enum cx_role; [0] unused */
};

#define CX_ROOT_EMPTY { .role = { { .threshold = 0 } } }
#define CX_ROOT_SCOPED SCOPED(cx_root_done)

void cx_root_done(struct cx_root *r);
MUST_CHECK int cx_root_parse(const char *what, const void *in, size_t len,
			     struct cx_root *ret, struct err *e);
MUST_CHECK int cx_root_encode(const struct cx_root *r, struct buf *out,
			      struct err *e);

/* ERR_AUTH unless enough of the holders signed; each key counts once (5.3.4
 * there). */
MUST_CHECK int cx_meta_check(const char *what, const struct cx_meta *m,
			     const struct cx_holders *by, struct err *e);

/* Have two roles the same keys? */
bool cx_holders_same(const struct cx_holders *a, const struct cx_holders *b);

/* The body of a snapshot, and of a timestamp: the one piece of metadata that
 * goes with it. */
struct cx_pin {
	uint64_t number, len;
	uint8_t hash[CX_HASH_BYTES];
};

MUST_CHECK int cx_pin_parse(const char *what, const void *in, size_t len,
			    struct cx_pin *ret, struct err *e);
MUST_CHECK int cx_pin_encode(const struct cx_pin *p, struct buf *out,
			     struct err *e);

#endif /* CRYPT_ROLE_H */
