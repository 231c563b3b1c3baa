/* sign.c - see sign.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/sign.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/pub-private.h"

enum {
	MESSAGE_MAX = 64 + CX_HASH_BYTES,
	BODY = 32 + CX_SIG_BYTES,	/* 128 digits, none to spare */
	DIGITS = BODY / 3 * 4,
	BLOCK = 1 << 20,
};

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char prefix[] = "hsig1:";
static const char file_purpose[] = "halcyon file";

/* What Ed25519 signs; returns its length. */
static size_t
message(const char *purpose, const uint8_t hash[CX_HASH_BYTES],
	uint8_t out[MESSAGE_MAX])
{
	size_t n = strlen(purpose) + 1;

	memcpy(out, purpose, n);
	memcpy(out + n, hash, CX_HASH_BYTES);
	return n + CX_HASH_BYTES;
}

void
cx_sign(const struct cx_key *k, const char *purpose,
	const uint8_t hash[CX_HASH_BYTES], uint8_t ret[CX_SIG_BYTES])
{
	uint8_t msg[MESSAGE_MAX];
	size_t len = message(purpose, hash, msg);

	(void)crypto_sign_detached(ret, NULL, msg, len, k->secret.at + 32);
}

int
cx_verify(const uint8_t signer[32], const char *purpose,
	  const uint8_t hash[CX_HASH_BYTES], const uint8_t sig[CX_SIG_BYTES],
	  const char *what, struct err *e)
{
	uint8_t msg[MESSAGE_MAX];
	size_t len = message(purpose, hash, msg);

	if (crypto_sign_verify_detached(sig, msg, len, signer) != 0)
		return err_set(e, ERR_AUTH, "%s: the signature is wrong", what);
	return 0;
}

static int
hash_file(const char *path, struct progress *p, uint8_t ret[CX_HASH_BYTES],
	  struct err *e)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	SCOPED_FREE uint8_t *block = NULL;
	struct cx_hasher h;
	size_t n;

	if (fd < 0)
		return err_sys(e, "%s", path);
	block = mem_array(BLOCK, 1, e);
	if (block == NULL)
		return -1;
	cx_hash_begin(&h);
	do {
		if (stop_check(e) < 0 ||
		    io_read_some(fd, block, BLOCK, path, &n, e) < 0)
			return -1;
		cx_hash_add(&h, block, n);
		progress_add(p, n);
		progress_show(p);
	} while (n == BLOCK);
	cx_hash_end(&h, ret);
	return 0;
}

int
cx_sign_file(const struct cx_key *k, const char *path, const char *sig_path,
	     struct progress *p, struct err *e)
{
	uint8_t hash[CX_HASH_BYTES], body[BODY];
	char digits[DIGITS + 1], text[sizeof(prefix) + sizeof(digits)];
	int len;

	if (hash_file(path, p, hash, e) < 0)
		return -1;
	memcpy(body, k->pub.sign, 32);
	cx_sign(k, file_purpose, hash, body + 32);
	(void)sodium_bin2base64(digits, sizeof(digits), body, BODY, BASE64);
	len = snprintf(text, sizeof(text), "%s%s\n", prefix, digits);
	return io_put(sig_path, text, (size_t)len, 0644, e);
}

static int
read_sig(const char *path, uint8_t ret[BODY], struct err *e)
{
	SCOPED_FREE uint8_t *raw = NULL;
	size_t len, got, want = strlen(prefix) + DIGITS + 1;

	if (io_slurp(path, 4096, &raw, &len, e) < 0)
		return -1;
	if (len < strlen(prefix) || memcmp(raw, "hsig", 4) != 0)
		return err_set(e, ERR_CORRUPT, "%s: is no signature", path);
	if (memcmp(raw, prefix, strlen(prefix)) != 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: is a signature of a newer kind", path);
	if (len != want || raw[len - 1] != '\n' ||
	    sodium_base642bin(ret, BODY, (const char *)raw + strlen(prefix),
			      DIGITS, NULL, &got, NULL, BASE64) != 0 ||
	    got != BODY)
		return err_set(e, ERR_CORRUPT, "%s: is a damaged signature",
			       path);
	return 0;
}

int
cx_verify_file(const struct cx_pubs *trusted, const char *path,
	       const char *sig_path, struct progress *p,
	       const struct cx_pub **ret, struct err *e)
{
	const struct cx_pub *signer;
	uint8_t hash[CX_HASH_BYTES], body[BODY];

	if (read_sig(sig_path, body, e) < 0)
		return -1;
	signer = cx_pubs_signer(trusted, body);
	if (signer == NULL)
		return err_set(e, ERR_AUTH,
			       "%s: is not signed by a trusted key", path);
	if (hash_file(path, p, hash, e) < 0 ||
	    cx_verify(signer->sign, file_purpose, hash, body + 32, path, e) < 0)
		return -1;
	*ret = signer;
	return 0;
}
