/* trust.h - is what a mirror offers what its origin offers, and is it the newest?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The client's side of The Update Framework (theupdateframework/specification
 * 1.0, section 5): from a root that the user once named, by way of timestamp and
 * snapshot, to the release.  Numbers only go up; what was seen is kept in
 * STATE/trust/DOMAIN, outside the repository, and is one for all mirrors of an
 * origin, sticks too.  The clock is at least the time of the newest metadata
 * seen.
 */
#ifndef DELTA_TRUST_H
#define DELTA_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/role.h"
#include "delta/release.h"
#include "store/repo.h"

struct buf;
struct dl_remote;
struct err;

/* The newest of a role's metadata that was seen; number 0: none. */
struct dl_mark {
	uint64_t number;
	uint8_t hash[CX_HASH_BYTES];
};

/* The newest of an image line that was seen. */
struct dl_line_mark {
	char name[ST_NAME_MAX + 1];
	uint64_t epoch, number;
};

/* What a client remembers of an origin. */
struct dl_seen {
	struct cx_meta meta;		/* the trusted root */
	struct cx_root root;		/* its body */
	uint64_t latest;		/* when the newest metadata was made */
	struct dl_mark mark[CX_ROLE_END];	/* of each role but the root */
	struct dl_line_mark *line;	/* by name; owned */
	size_t lines, cap;
};

#define DL_SEEN_EMPTY { .meta = CX_META_EMPTY }
#define DL_SEEN_SCOPED SCOPED(dl_seen_done)

void dl_seen_done(struct dl_seen *s);

/* As the bytes of a state file and back. */
MUST_CHECK int dl_seen_encode(const struct dl_seen *s, struct buf *out,
			      struct err *e);
MUST_CHECK int dl_seen_parse(const char *what, const void *in, size_t len,
			     struct dl_seen *ret, struct err *e);

/* What the state folder remembers: 1 read, 0 nothing. */
MUST_CHECK int dl_seen_load(const char *state,
			    const uint8_t domain[CX_DOMAIN_BYTES],
			    struct dl_seen *ret, struct err *e);

/* Read root metadata: a file's or a mirror's. */
MUST_CHECK int dl_root_parse(const char *what, const void *in, size_t len,
			     struct cx_meta *ret, struct cx_root *ret_root,
			     struct err *e);

/* How far to trust. */
struct dl_trust {
	const char *state;	/* folder of what was seen; NULL: only to look */
	const char *root;	/* a root file that the user names, or NULL */
	bool allow_expired;
};

/*
 * Bring what is known of a mirror up to date: 1, and *ret_release is what it
 * offers and *ret what is now remembered, which is on stable storage; 0 when
 * nothing was ever pushed there.  ERR_AUTH says which rule is broken.
 */
MUST_CHECK int dl_trust_update(struct dl_remote *r, const struct dl_trust *t,
			       struct dl_seen *ret,
			       struct dl_release *ret_release, struct err *e);

/* Who may push to a mirror where nothing is yet: what is remembered of the domain,
 * or else the root that the user names. */
MUST_CHECK int dl_trust_begin(const struct dl_trust *t,
			      const uint8_t domain[CX_DOMAIN_BYTES],
			      struct dl_seen *ret, struct err *e);

/* A release later than number `after` that no snapshot names yet, and whose
 * signatures are right: 1 there is one, the last of them; 0 there is none. */
MUST_CHECK int dl_trust_pending(struct dl_remote *r, const struct dl_seen *s,
				uint64_t after, struct dl_release *ret,
				struct cx_pin *ret_pin, struct err *e);

/* A role's next metadata, signed with k, which must hold the role (ERR_AUTH). */
MUST_CHECK int dl_trust_sign(const struct dl_seen *s, enum cx_role role,
			     uint64_t number, const void *body, size_t len,
			     const struct cx_key *k, struct buf *out,
			     struct err *e);

/* The name on a mirror of a role's metadata. */
enum { DL_META_NAME = 64 };
void dl_meta_name(enum cx_role role, uint64_t number, char ret[DL_META_NAME]);

#endif /* DELTA_TRUST_H */
