/* hash.h - BLAKE2b-256, plain and keyed, and keys from keys
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * BLAKE2b (RFC 7693) with 32 bytes of output is the project's hash; base/hash.h
 * has SHA-256 for what other people's tools check.  None of these can fail.
 */
#ifndef CRYPT_HASH_H
#define CRYPT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { CX_HASH_BYTES = 32, CX_HEX_ROOM = 2 * CX_HASH_BYTES + 1 };

/* All at once. */
void cx_hash(uint8_t out[CX_HASH_BYTES], const void *data, size_t len);
void cx_hash_keyed(uint8_t out[CX_HASH_BYTES], const uint8_t key[32],
		   const void *data, size_t len);

/* Piece by piece.  A state holds no memory of its own. */
struct cx_hasher {
	_Alignas(64) uint8_t opaque[384];
};

void cx_hash_begin(struct cx_hasher *h);
void cx_hash_begin_keyed(struct cx_hasher *h, const uint8_t key[32]);
void cx_hash_add(struct cx_hasher *h, const void *data, size_t len);
void cx_hash_end(struct cx_hasher *h, uint8_t out[CX_HASH_BYTES]);

/*
 * A key from a key: BLAKE2b-256 keyed with `key` over the context string, its
 * terminating NUL, and `info` (which may be NULL with info_len 0).  Another
 * context or info gives an unrelated key.
 */
void cx_kdf(uint8_t out[32], const uint8_t key[32], const char *context,
	    const void *info, size_t info_len);

/* len bytes as lower-case hexadecimal with a NUL: out holds 2 * len + 1. */
void cx_hex(char *out, const void *bytes, size_t len);

/* The reverse of exactly 2 * len digits; false if text is anything else. */
MUST_CHECK bool cx_unhex(void *out, size_t len, const char *text);

#endif /* CRYPT_HASH_H */
