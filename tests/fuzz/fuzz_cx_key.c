/* fuzz_cx_key.c - private and public key files from anybody
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "crypt/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* Nobody answers: a protected key is as good as unreadable here. */
static int
no_answer(const char *what, struct cx_secret *ret, struct err *e)
{
	(void)ret;
	return err_set(e, ERR_USAGE, "%s: nobody answers", what);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs l = CX_PUBS_EMPTY;
	struct err e = ERR_INIT, le = ERR_INIT;

	if (len == 0)
		return 0;
	mem_fail_from(in[0] & 0x0f);
	if (cx_key_parse("KEY", in + 1, len - 1, -1, no_answer, &k, &e) == 0)
		assert(k.secret.at != NULL && !k.is_protected);
	else
		assert(k.secret.at == NULL && e.kind != ERR_NONE);
	if (cx_pubs_parse(&l, "list", in + 1, len - 1, &le) == 0) {
		char line[CX_PUB_LINE_ROOM];
		size_t was = l.count;

		/* What is written reads back as the same. */
		mem_fail_from(0);
		cx_pub_line(&l.at[0], line);
		assert(cx_pubs_parse(&l, "line", line, strlen(line), &le) == 0);
		assert(l.count == was);
	}
	mem_fail_from(0);
	return 0;
}
