/* seal.h - a file of any size, sealed to recipients
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The file is a header, recipient stanzas, and segments of 64 KiB, each
 * authenticated with its number and with whether it is the last; so nothing can
 * be changed, moved, dropped or cut off unseen, and nothing is written before
 * it is known to be right.  docs/FORMAT.md has the layout.
 */
#ifndef CRYPT_SEAL_H
#define CRYPT_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/key.h"
#include "crypt/wrap.h"

struct err;
struct io_new;
struct progress;

enum { CX_SEALED_HEADER_BYTES = 64 };

/* The fixed part in front of the stanzas. */
struct cx_sealed_header {
	uint8_t commit[CX_COMMIT_BYTES];
	uint32_t recipients;
};

/* `name` names the file in messages. */
MUST_CHECK int cx_sealed_header_parse(const void *buf, size_t len,
				      const char *name,
				      struct cx_sealed_header *ret,
				      struct err *e);

/* Read `in` to its end, write it sealed.  The caller commits `out`. */
MUST_CHECK int cx_seal(int in, const char *in_name, const struct cx_pubs *to,
		       bool anonymous, struct io_new *out, struct progress *p,
		       struct err *e);

/* Read a sealed `in` from its present place to its end, write what it holds. */
MUST_CHECK int cx_open(int in, const char *in_name, const struct cx_key *k,
		       struct io_new *out, struct progress *p, struct err *e);

/*
 * Copy a sealed `in` with other recipients, as cx_rewrap() says; what it holds is
 * not touched.  `k` is needed for adding, else NULL.
 */
MUST_CHECK int cx_reseal(int in, const char *in_name, const struct cx_key *k,
			 const struct cx_pubs *add, const struct cx_pubs *drop,
			 struct io_new *out, struct err *e);

/* The recipient stanzas of a sealed `in`; the caller frees *ret. */
MUST_CHECK int cx_sealed_stanzas(int in, const char *in_name, uint8_t **ret,
				 size_t *ret_count, struct err *e);

#endif /* CRYPT_SEAL_H */
