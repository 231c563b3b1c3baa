/* fuzz_cx_sealed.c - headers and recipient stanzas of sealed files
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>

#include "base/err.h"
#include "crypt/hash.h"
#include "crypt/seal.h"
#include "crypt/wrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static const char key_text[] =
	"halcyon-key 1\npublic hpub1:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"
	"prLrhQbzK8LIuGpTTTQvHNh5SbQv-EsiXlLyTIpZt1w-cidSqh118\n"
	"protection none\nsecret AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI"
	"jJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw\n";

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_SECRET_SCOPED struct cx_secret key = CX_SECRET_EMPTY;
	struct cx_sealed_header h = { .recipients = 0 };
	struct err e = ERR_INIT;
	uint8_t commit[CX_COMMIT_BYTES];
	size_t left;

	if (len < CX_SEALED_HEADER_BYTES ||
	    cx_sealed_header_parse(in, CX_SEALED_HEADER_BYTES, "f", &h, &e) < 0)
		return 0;
	assert(h.recipients > 0 && h.recipients <= CX_PUBS_MAX);
	left = len - CX_SEALED_HEADER_BYTES;
	if (h.recipients > left / CX_STANZA_BYTES)
		return 0;
	assert(cx_key_parse("KEY", key_text, sizeof(key_text) - 1, -1, NULL, &k,
			    &e) == 0);
	if (cx_unwrap(in + CX_SEALED_HEADER_BYTES, h.recipients, h.commit, &k,
		      "f", &key, &e) == 0) {
		cx_commit(key.at, commit);
		assert(cx_same(commit, h.commit, sizeof(commit)));
	} else {
		assert(key.at == NULL);
	}
	return 0;
}
