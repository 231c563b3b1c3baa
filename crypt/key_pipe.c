/* key_pipe.c - an open key goes from one process of ours to another; see key.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/key.h"

#include <string.h>
#include <unistd.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"

/* X25519 public 32, Ed25519 public 32, key id 8, the secret half 96. */
enum { SECRET = 96, BYTES = 32 + 32 + CX_KEYID_BYTES + SECRET };

int
cx_key_give(const struct cx_key *k, int pipe, struct err *e)
{
	uint8_t bytes[BYTES], *at = bytes;

	if (k->secret.len != SECRET)
		return err_set(e, ERR_UNSUPPORTED, "key: is of another kind");
	memcpy(at, k->pub.seal, 32);
	memcpy(at += 32, k->pub.sign, 32);
	memcpy(at += 32, k->pub.id, CX_KEYID_BYTES);
	memcpy(at + CX_KEYID_BYTES, k->secret.at, SECRET);
	ssize_t n = write(pipe, bytes, sizeof(bytes));
	cx_wipe(bytes, sizeof(bytes));
	return n == (ssize_t)sizeof(bytes) ? 0 : err_sys(e, "key: cannot give it");
}

int
cx_key_take(int pipe, struct cx_key *ret, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	uint8_t bytes[BYTES];
	size_t len;

	if (io_read_some(pipe, bytes, sizeof(bytes), "key", &len, e) < 0)
		return -1;
	if (len != sizeof(bytes))
		return err_set(e, ERR_CORRUPT, "key: another length came than "
			       "a key has");
	struct cur c = cur_over("key", bytes, sizeof(bytes));
	cur_bytes(&c, k.pub.seal, 32);
	cur_bytes(&c, k.pub.sign, 32);
	cur_bytes(&c, k.pub.id, CX_KEYID_BYTES);
	int r = cx_secret_copy(&k.secret, bytes + sizeof(bytes) - SECRET, SECRET,
			       e);
	cx_wipe(bytes, sizeof(bytes));
	if (r == 0)
		*ret = TAKE(k);
	return r;
}
