/* fuzz_dl_release.c - releases of a mirror, and the file of what was seen
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte says which allocation is refused, and which of the two it is.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "delta/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
release(const uint8_t *in, size_t len, unsigned fail)
{
	DL_RELEASE_SCOPED struct dl_release r = DL_RELEASE_EMPTY;
	BUF_SCOPED struct buf again = BUF_EMPTY;
	struct err e = ERR_INIT;

	mem_fail_from(fail);
	int got = dl_release_parse("r", in, len, &r, &e);
	mem_fail_from(0);
	assert((got == 0) == (e.kind == ERR_NONE));
	if (got < 0)
		return;
	for (size_t i = 0; i < r.lines; i++)
		assert(dl_line_newest(&r.line[i]) != NULL);
	assert(dl_release_encode(&r, &again, &e) == 0);
	assert(again.len == len && memcmp(again.at, in, len) == 0);
}

static void
seen(const uint8_t *in, size_t len, unsigned fail)
{
	DL_SEEN_SCOPED struct dl_seen s = DL_SEEN_EMPTY;
	struct err e = ERR_INIT;

	mem_fail_from(fail);
	int got = dl_seen_parse("s", in, len, &s, &e);
	mem_fail_from(0);
	assert((got == 0) == (e.kind == ERR_NONE));
	assert(got == 0 || s.line == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	if (len == 0)
		return 0;
	if ((in[0] & 0x80) == 0)
		release(in + 1, len - 1, in[0] & 0x1f);
	else
		seen(in + 1, len - 1, in[0] & 0x1f);
	return 0;
}
