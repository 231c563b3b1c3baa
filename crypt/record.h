/* record.h - a small sealed piece: authenticated, bound to its place, padded
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A record is nonce (24, random), ciphertext, tag (16): XChaCha20-Poly1305 in
 * its IETF form.  What is encrypted is the data, zeros, and the length of the
 * data as u32, together a multiple of 256 bytes, so that a record's size tells
 * little about its contents.  `ad` is what the record belongs to - the header
 * in front of it, the slot it fills - and must be the same when it is opened.
 *
 * Random nonces of 192 bits need no coordination between threads or processes
 * and no limit on records per key.
 */
#ifndef CRYPT_RECORD_H
#define CRYPT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

enum {
	CX_RECORD_OVERHEAD = 24 + 16,	/* nonce and tag */
	CX_RECORD_UNIT = 256,		/* the ciphertext is a multiple of it */
	CX_RECORD_MAX = 1 << 30,	/* bytes of data in one record */
};

/* The size of the record that holds len bytes of data, len <= CX_RECORD_MAX. */
size_t cx_record_size(size_t len);

/* Seal len bytes into out, which has cx_record_size(len) bytes. */
void cx_record_seal(const uint8_t key[32], const void *ad, size_t ad_len,
		    const void *data, size_t len, uint8_t *out);

/*
 * Open a record into out, which has room for rec_len bytes; the data is its
 * first *ret_len bytes.  `what` names the record in messages.  ERR_CORRUPT: not
 * of a record's size; ERR_AUTH: wrong key, wrong place or changed; then out
 * holds zeros.
 */
MUST_CHECK int cx_record_open(const uint8_t key[32],
			      const void *ad, size_t ad_len,
			      const void *rec, size_t rec_len, const char *what,
			      uint8_t *out, size_t *ret_len, struct err *e);

/*
 * The same without padding and length, for pieces whose size is no secret and
 * always the same, the blocks of a disk: len + CX_RECORD_OVERHEAD bytes.
 */
void cx_block_seal(const uint8_t key[32], const void *ad, size_t ad_len,
		   const void *data, size_t len, uint8_t *out);
MUST_CHECK int cx_block_open(const uint8_t key[32],
			     const void *ad, size_t ad_len,
			     const void *rec, size_t len, const char *what,
			     void *out, struct err *e);

#endif /* CRYPT_RECORD_H */
