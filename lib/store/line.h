/* line.h - the keys of one image line
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every line has an image key of its own, which encrypts its maps and
 * manifests; the maps carry the keys of the chunks.  So who has the image key
 * reads that line and no other.  The key that names chunks goes with it, to
 * check what was read.  docs/FORMAT.md, "Repository", has the derivations.
 */
#ifndef STORE_LINE_H
#define STORE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/key.h"
#include "crypt/secret.h"
#include "store/repo.h"

struct err;

struct st_line {
	uint8_t id[ST_LINE_BYTES];
	struct cx_secret image_key;	/* 32 bytes: what a delta delivers, */
	struct cx_secret id_key;	/* with this, which names chunks */
	struct cx_secret derived;	/* private: keys made from image_key */
};

#define ST_LINE_EMPTY { .image_key = CX_SECRET_EMPTY }
#define ST_LINE_SCOPED SCOPED(st_line_done)

void st_line_done(struct st_line *l);

/* Open a line of the repository with its private key, directly or by way of the
 * repository key.  ERR_AUTH when it is sealed to others only; ERR_USAGE before
 * st_repo_unlock(). */
MUST_CHECK int st_line_open(const struct st_repo *r,
			    const uint8_t id[ST_LINE_BYTES],
			    struct st_line *ret, struct err *e);

/* Administrators: a new line with a new key. */
MUST_CHECK int st_line_new(struct st_repo *r, struct st_line *ret,
			   struct err *e);

/* Clients: keep a line whose two keys (32 bytes each) a delta brought, sealed
 * to the repository's recipients.  One that is there is kept as it is, and
 * must have these keys, else ERR_AUTH. */
MUST_CHECK int st_line_adopt(struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
			     const uint8_t image_key[32],
			     const uint8_t id_key[32], struct st_line *ret,
			     struct err *e);

/* Administrators: seal the line to more recipients; who has it keeps it. */
MUST_CHECK int st_line_add(struct st_repo *r, const struct st_line *l,
			   const struct cx_pubs *to, struct err *e);

/* The key ids a line is sealed to beside the administrators; free(*ret). */
MUST_CHECK int st_line_recipients(const struct st_repo *r,
				  const uint8_t id[ST_LINE_BYTES],
				  uint8_t (**ret)[CX_KEYID_BYTES],
				  size_t *ret_count, struct err *e);

/* Take away the stanza of this key id: 1 done, 0 there is none.  ERR_UNSAFE when
 * nobody would be left. */
MUST_CHECK int st_line_drop(struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
			    const uint8_t keyid[CX_KEYID_BYTES], struct err *e);

/* Destroy the only copy of a line's key here: overwritten, synced, removed.
 * What is encrypted with it can not be read any more. */
MUST_CHECK int st_line_wipe(struct st_repo *r, const uint8_t id[ST_LINE_BYTES],
			    struct err *e);

/* The file of a line's key as it is, for a mirror; and one that came from there,
 * opened with a private key.  Nobody signs it: what the line encrypts shows
 * whether it is the right key.  ERR_AUTH: not sealed to this key. */
MUST_CHECK int st_line_bytes(const struct st_repo *r,
			     const uint8_t id[ST_LINE_BYTES], uint8_t **ret,
			     size_t *ret_len, struct err *e);
MUST_CHECK int st_line_parse(const char *name, const void *in, size_t len,
			     const uint8_t id[ST_LINE_BYTES],
			     const struct cx_key *k, struct st_line *ret,
			     struct err *e);

/* The identity that a line is as a recipient: whoever can read the line can
 * open what is sealed to it. */
MUST_CHECK int st_line_identity(const struct st_line *l, struct cx_key *ret,
				struct err *e);

/* For the room: keys made from the image key. */
const uint8_t *st_line_map_key(const struct st_line *l);
const uint8_t *st_line_map_id_key(const struct st_line *l);
const uint8_t *st_line_manifest_key(const struct st_line *l);

#endif /* STORE_LINE_H */
