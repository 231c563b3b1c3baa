/* hash.c - see hash.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/hash.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_generichash_state) <=
	       sizeof(((struct cx_hasher *)0)->opaque), "BLAKE2b state fits");
_Static_assert(_Alignof(crypto_generichash_state) <=
	       _Alignof(struct cx_hasher), "BLAKE2b state is aligned");

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* libsodium picks the fast code for this processor in sodium_init(); without
 * it, hashing is slow but right, so a failure needs no report. */
static void
pick_fast_code(void)
{
	if (sodium_init() < 0)
		return;
}

static void
ready(void)
{
	(void)pthread_once(&once, pick_fast_code);
}

static crypto_generichash_state *
blake(struct cx_hasher *h)
{
	return (void *)h->opaque;
}

void
cx_hash(uint8_t out[CX_HASH_BYTES], const void *data, size_t len)
{
	ready();
	(void)crypto_generichash(out, CX_HASH_BYTES, data, len, NULL, 0);
}

void
cx_hash_keyed(uint8_t out[CX_HASH_BYTES], const uint8_t key[32],
	      const void *data, size_t len)
{
	ready();
	(void)crypto_generichash(out, CX_HASH_BYTES, data, len, key, 32);
}

void
cx_hash_begin(struct cx_hasher *h)
{
	ready();
	(void)crypto_generichash_init(blake(h), NULL, 0, CX_HASH_BYTES);
}

void
cx_hash_begin_keyed(struct cx_hasher *h, const uint8_t key[32])
{
	ready();
	(void)crypto_generichash_init(blake(h), key, 32, CX_HASH_BYTES);
}

void
cx_hash_add(struct cx_hasher *h, const void *data, size_t len)
{
	(void)crypto_generichash_update(blake(h), data, len);
}

void
cx_hash_end(struct cx_hasher *h, uint8_t out[CX_HASH_BYTES])
{
	(void)crypto_generichash_final(blake(h), out, CX_HASH_BYTES);
	sodium_memzero(h, sizeof(*h));
}

void
cx_kdf(uint8_t out[32], const uint8_t key[32], const char *context,
       const void *info, size_t info_len)
{
	struct cx_hasher h;

	cx_hash_begin_keyed(&h, key);
	cx_hash_add(&h, context, strlen(context) + 1);
	cx_hash_add(&h, info, info_len);
	cx_hash_end(&h, out);
}

void
cx_hex(char *out, const void *bytes, size_t len)
{
	(void)sodium_bin2hex(out, 2 * len + 1, bytes, len);
}

bool
cx_unhex(void *out, size_t len, const char *text)
{
	size_t got;

	return strlen(text) == 2 * len &&
	       sodium_hex2bin(out, len, text, 2 * len, NULL, &got, NULL) == 0 &&
	       got == len;
}
