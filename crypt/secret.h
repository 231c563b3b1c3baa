/* secret.h - bytes that nobody else may see, and random ones
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keys and passphrases live in memory of their own: locked where the system
 * allows it, kept out of core dumps, between guard pages, wiped when released, and
 * zeros in a forked child, which must not release it.
 * A page or more each, so a secret is a long-lived key; the many short-lived
 * keys of chunks are plain arrays that their owner wipes with cx_wipe().
 */
#ifndef CRYPT_SECRET_H
#define CRYPT_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct err;

enum { CX_KEY_BYTES = 32 };	/* of every symmetric key */

struct cx_secret {
	uint8_t *at;		/* owned; NULL when empty */
	size_t len;
};

#define CX_SECRET_EMPTY { .at = NULL }
#define CX_SECRET_SCOPED SCOPED(cx_secret_done)

/* Wipe and release. */
void cx_secret_done(struct cx_secret *s);

/* len zero bytes; len random bytes; a copy. */
MUST_CHECK int cx_secret_new(struct cx_secret *ret, size_t len, struct err *e);
MUST_CHECK int cx_secret_random(struct cx_secret *ret, size_t len,
				struct err *e);
MUST_CHECK int cx_secret_copy(struct cx_secret *ret, const void *from,
			      size_t len, struct err *e);

/* Unpredictable bytes from the system. */
void cx_random(void *out, size_t len);

/* Compare in a time that does not depend on the contents. */
bool cx_same(const void *a, const void *b, size_t len);

/* Overwrite, also where the compiler thinks nobody looks any more. */
void cx_wipe(void *p, size_t len);

#endif /* CRYPT_SECRET_H */
