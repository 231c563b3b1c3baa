/* container.h - one sealed file: frames and a manifest, for many recipients
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Deltas and profile bundles are containers.  In the file stand, in this order:
 * header, recipient stanzas, frame table (clear: length and hash of each frame),
 * manifest (encrypted), signature, frames (encrypted).  So a reader knows and
 * trusts everything before the first frame; anybody can check frames by their
 * hashes without a key; a recipient can be added without touching more than the
 * stanzas.  docs/FORMAT.md, "Containers", has the layout.
 *
 * What the manifest and the frames hold is the caller's business.  A manifest
 * usually says which frame is what: st_container_put() returns a frame's
 * number, the manifest is given last, and frames are read in any order.
 *
 * Writing:
 *
 *	ST_CONTAINER_NEW_SCOPED struct st_container_new *n =
 *		st_container_begin(path, ST_CONTAINER_BUNDLE, e);
 *	st_container_put(n, bytes, len, &number, e);	(as often as needed)
 *	st_container_commit(n, manifest, manifest_len, &to, signer, e);
 *
 * Reading:
 *
 *	ST_CONTAINER_SCOPED struct st_container *c =
 *		st_container_open(path, ST_CONTAINER_BUNDLE, e);
 *	st_container_trust(c, &trusted, &by, e);
 *	st_container_unlock(c, &key, e);
 *	manifest = st_container_manifest(c, &len);
 *	st_container_frame(c, number, &buf, e);
 */
#ifndef STORE_CONTAINER_H
#define STORE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "crypt/hash.h"
#include "crypt/key.h"
#include "crypt/wrap.h"

struct buf;
struct err;
struct progress;

/* What a container holds; the numbers are on disk. */
enum st_container_kind {
	ST_CONTAINER_ANY = 0,	/* to open: whatever it is */
	ST_CONTAINER_DELTA = 1,
	ST_CONTAINER_BUNDLE = 2,
};

enum {
	ST_CONTAINER_HEADER = 128,
	ST_CONTAINER_ID = 16,
	ST_FRAME_MAX = 16 << 20,		/* bytes of data in one frame */
	ST_FRAMES_MAX = 1 << 24,
	ST_MANIFEST_MAX = 256 << 20,
};

/* ---- writing ---- */

struct st_container_new;

#define ST_CONTAINER_NEW_SCOPED SCOPED(st_container_new_free)

/* Begin a container that will be `path`; it appears in st_container_commit().
 * Frames wait in an unnamed file of the same directory. */
MUST_CHECK struct st_container_new *
st_container_begin(const char *path, enum st_container_kind kind,
		   struct err *e);
void st_container_new_free(struct st_container_new *const *n);

/* Append a frame of 1 to ST_FRAME_MAX bytes; *ret_number counts from 0. */
MUST_CHECK int st_container_put(struct st_container_new *n, const void *data,
				size_t len, uint32_t *ret_number,
				struct err *e);

/* Seal it to the recipients, sign it unless `signer` is NULL, and let it
 * appear. */
MUST_CHECK int st_container_commit(struct st_container_new *n,
				   const void *manifest, size_t len,
				   const struct cx_pubs *to,
				   const struct cx_key *signer, struct err *e);

/* ---- reading ---- */

struct st_container;

#define ST_CONTAINER_SCOPED SCOPED(st_container_free)

/*
 * Open one and check all that needs no key but the frames: shape, size, and
 * that the signature, if there is one, is that of the signer it names.
 * ERR_CORRUPT: no container, another kind, damaged or cut off; ERR_UNSUPPORTED:
 * a newer one; ERR_AUTH: the signature is wrong.
 */
MUST_CHECK struct st_container *
st_container_open(const char *path, enum st_container_kind kind,
		  struct err *e);
void st_container_free(struct st_container *const *c);

/*
 * Is it from somebody trusted?  *ret is the entry of `trusted` that signed it.
 * Not signed, or by another: ERR_AUTH.  One exception: where nobody is trusted
 * (the list is empty), an unsigned one passes with *ret NULL; say so to the
 * user.
 */
MUST_CHECK int st_container_trust(const struct st_container *c,
				  const struct cx_pubs *trusted,
				  const struct cx_pub **ret, struct err *e);

/* Open the manifest.  ERR_AUTH: not sealed to this key, or changed. */
MUST_CHECK int st_container_unlock(struct st_container *c,
				   const struct cx_key *k, struct err *e);

/* The manifest of an unlocked container; it lives as long as the container. */
const void *st_container_manifest(const struct st_container *c,
				  size_t *ret_len);

/* What can be told without a key. */
struct st_container_info {
	uint8_t id[ST_CONTAINER_ID];
	bool is_signed;
	uint8_t signer[32];		/* zeros when it is not signed */
	uint32_t recipients, frames;
	uint64_t file_bytes, frame_bytes, manifest_bytes;
};

struct st_container_info st_container_info(const struct st_container *c);

/* The recipient stanza of that number: its key id, or false when anonymous. */
bool st_container_recipient(const struct st_container *c, uint32_t number,
			    uint8_t ret[CX_KEYID_BYTES]);

/*
 * Copy the container to `path` with other recipients, as cx_rewrap() says; only
 * stanzas differ.  For adding, k opens it; for removing alone k is NULL.  A file
 * of that name, also the container itself, is replaced.
 */
MUST_CHECK int st_container_reseal(const struct st_container *c,
				   const char *path, const struct cx_key *k,
				   const struct cx_pubs *add,
				   const struct cx_pubs *drop, struct err *e);

/* Read a frame of an unlocked container: *out is replaced.  From any number of
 * threads at once.  ERR_AUTH: it was changed. */
MUST_CHECK int st_container_frame(const struct st_container *c,
				  uint32_t number, struct buf *out,
				  struct err *e);

/* Check every frame against its hash; needs no key.  ERR_AUTH names the first
 * that is wrong.  `p` counts bytes. */
MUST_CHECK int st_container_check(const struct st_container *c,
				  struct progress *p, struct err *e);

/* Bytes of the frame in the file. */
uint32_t st_container_frame_bytes(const struct st_container *c,
				  uint32_t number);

#endif /* STORE_CONTAINER_H */
