/* secret.c - see secret.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "crypt/secret.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

void
cx_secret_done(struct cx_secret *s)
{
	sodium_free(s->at);
	*s = (struct cx_secret)CX_SECRET_EMPTY;
}

/* Children get zeros in its place: they read guests' disks, or run other programs.
 * libsodium's memory is whole pages of its own. */
static int
keep_from_children(uint8_t *at, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), in = (uintptr_t)at % page;

	return madvise(at - in, in + len, MADV_WIPEONFORK);
}

int
cx_secret_new(struct cx_secret *ret, size_t len, struct err *e)
{
	uint8_t *at = NULL;

	if (sodium_init() >= 0)
		at = sodium_malloc(len);
	if (at == NULL)
		return err_set(e, ERR_NOMEM, "no memory for a key");
	if (len > 0 && keep_from_children(at, len) < 0) {
		(void)err_sys(e, "cannot keep a key from other processes");
		sodium_free(at);
		return -1;
	}
	memset(at, 0, len);
	*ret = (struct cx_secret){ .at = at, .len = len };
	return 0;
}

int
cx_secret_random(struct cx_secret *ret, size_t len, struct err *e)
{
	if (cx_secret_new(ret, len, e) < 0)
		return -1;
	cx_random(ret->at, len);
	return 0;
}

int
cx_secret_copy(struct cx_secret *ret, const void *from, size_t len,
	       struct err *e)
{
	if (cx_secret_new(ret, len, e) < 0)
		return -1;
	memcpy(ret->at, from, len);
	return 0;
}

void
cx_random(void *out, size_t len)
{
	randombytes_buf(out, len);
}

bool
cx_same(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void
cx_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}
