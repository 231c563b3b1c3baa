/* sign.h - Ed25519 signatures over hashes, each with a purpose
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is signed is a purpose (a constant string), its NUL, and the BLAKE2b-256
 * of the data; so large data streams, and a signature made for one purpose is
 * none for another.
 */
#ifndef CRYPT_SIGN_H
#define CRYPT_SIGN_H

#include <stdint.h>

#include "base/attr.h"
#include "crypt/hash.h"
#include "crypt/key.h"

struct err;
struct progress;

enum { CX_SIG_BYTES = 64 };

void cx_sign(const struct cx_key *k, const char *purpose,
	     const uint8_t hash[CX_HASH_BYTES], uint8_t ret[CX_SIG_BYTES]);

/* Is it that key's signature?  `what` names the thing in the ERR_AUTH. */
MUST_CHECK int cx_verify(const uint8_t signer[32], const char *purpose,
			 const uint8_t hash[CX_HASH_BYTES],
			 const uint8_t sig[CX_SIG_BYTES], const char *what,
			 struct err *e);

/* Sign a file into FILE.sig, one line of text; replaces one that is there. */
MUST_CHECK int cx_sign_file(const struct cx_key *k, const char *path,
			    const char *sig_path, struct progress *p,
			    struct err *e);

/*
 * Check a file against its .sig.  *ret is the entry of `trusted` that signed.
 * ERR_AUTH: changed, or signed by somebody else.
 */
MUST_CHECK int cx_verify_file(const struct cx_pubs *trusted, const char *path,
			      const char *sig_path, struct progress *p,
			      const struct cx_pub **ret, struct err *e);

#endif /* CRYPT_SIGN_H */
