/* wrap.h - one key for many readers: recipient stanzas
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data is encrypted once with a file key; each recipient gets a stanza of 96
 * bytes that only the recipient's private key opens.  Who knows the file key
 * can add stanzas later without touching the data.  So that two recipients
 * cannot be shown different things, the file carries a commitment to the key,
 * and cx_unwrap() checks it.  docs/FORMAT.md has the layout.
 */
#ifndef CRYPT_WRAP_H
#define CRYPT_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "crypt/key.h"

struct buf;
struct err;

enum { CX_STANZA_BYTES = 96, CX_COMMIT_BYTES = 32 };

/* What ties a file to its key, and tells nothing about it. */
void cx_commit(const uint8_t key[32], uint8_t ret[CX_COMMIT_BYTES]);

/* Append one stanza for each recipient; anonymous ones carry no key id, and
 * every reader has to try them all. */
MUST_CHECK int cx_wrap(const uint8_t key[32], const struct cx_pubs *to,
		       bool anonymous, struct buf *out, struct err *e);

/*
 * The key from `count` stanzas.  `what` names the file in messages.  ERR_AUTH
 * when none is for this key, or the one that is does not fit the commitment.
 */
MUST_CHECK int cx_unwrap(const void *stanzas, size_t count,
			 const uint8_t commit[CX_COMMIT_BYTES],
			 const struct cx_key *k, const char *what,
			 struct cx_secret *ret, struct err *e);

/*
 * Other recipients: append to *out the stanzas without those of `drop` and with
 * new ones for those of `add` that have none; *ret_count is how many these are.
 * `key` is needed for adding only.  A recipient to drop that is not there is
 * ERR_NO; ERR_UNSAFE when nobody would be left.
 */
MUST_CHECK int cx_rewrap(const void *stanzas, size_t count,
			 const uint8_t *key, const struct cx_pubs *add,
			 const struct cx_pubs *drop, struct buf *out,
			 size_t *ret_count, struct err *e);

/* The key id of a stanza; false when it is anonymous. */
bool cx_stanza_id(const uint8_t stanza[CX_STANZA_BYTES],
		  uint8_t ret[CX_KEYID_BYTES]);

#endif /* CRYPT_WRAP_H */
