/* record.c - see record.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/record.h"

#include <sodium.h>
#include <string.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/num.h"

enum { NONCE = 24, TAG = 16, LENGTH = 4 };

_Static_assert(NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

/* Bytes that are encrypted for len bytes of data. */
static size_t
padded(size_t len)
{
	return (len + LENGTH + CX_RECORD_UNIT - 1) / CX_RECORD_UNIT *
	       CX_RECORD_UNIT;
}

size_t
cx_record_size(size_t len)
{
	return padded(len) + CX_RECORD_OVERHEAD;
}

void
cx_record_seal(const uint8_t key[32], const void *ad, size_t ad_len,
	       const void *data, size_t len, uint8_t *out)
{
	size_t size = padded(len);
	uint8_t *text = out + NONCE;

	randombytes_buf(out, NONCE);
	if (len > 0)
		memcpy(text, data, len);
	memset(text + len, 0, size - len - LENGTH);
	num_put_u32le(text + size - LENGTH, (uint32_t)len);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text, size,
							 ad, ad_len, NULL, out,
							 key);
}

int
cx_record_open(const uint8_t key[32], const void *ad, size_t ad_len,
	       const void *rec, size_t rec_len, const char *what, uint8_t *out,
	       size_t *ret_len, struct err *e)
{
	const uint8_t *nonce = rec;
	size_t size;

	if (rec_len < CX_RECORD_OVERHEAD + CX_RECORD_UNIT ||
	    rec_len > cx_record_size(CX_RECORD_MAX) ||
	    (rec_len - CX_RECORD_OVERHEAD) % CX_RECORD_UNIT != 0)
		return err_set(e, ERR_CORRUPT, "%s: %zu bytes are no record",
			       what, rec_len);
	size = rec_len - CX_RECORD_OVERHEAD;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    out, NULL, NULL, nonce + NONCE, size + TAG, ad, ad_len,
		    nonce, key) != 0) {
		memset(out, 0, size);
		return err_set(e, ERR_AUTH, "%s: wrong key, or it was changed",
			       what);
	}

	struct cur c = cur_over(what, out + size - LENGTH, LENGTH);
	uint32_t len = cur_u32le(&c);

	if (len > size - LENGTH || padded(len) != size) {
		memset(out, 0, size);
		return err_set(e, ERR_CORRUPT, "%s: says a wrong length", what);
	}
	*ret_len = len;
	return 0;
}

void
cx_block_seal(const uint8_t key[32], const void *ad, size_t ad_len,
	      const void *data, size_t len, uint8_t *out)
{
	randombytes_buf(out, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + NONCE, NULL, data, len, ad, ad_len, NULL, out, key);
}

int
cx_block_open(const uint8_t key[32], const void *ad, size_t ad_len,
	      const void *rec, size_t len, const char *what, void *out,
	      struct err *e)
{
	const uint8_t *nonce = rec;

	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    out, NULL, NULL, nonce + NONCE, len + TAG, ad, ad_len,
		    nonce, key) == 0)
		return 0;
	memset(out, 0, len);
	return err_set(e, ERR_AUTH, "%s: wrong key, or it was changed", what);
}
