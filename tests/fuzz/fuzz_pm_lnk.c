/* fuzz_pm_lnk.c - no bytes crash the reader of shell links, and what it reads
 * it can write and read again
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "profmig/lnk.h"
#include "profmig/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY, again = PM_LNK_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct err e = ERR_INIT;
	bool changed;
	int r;

	if (len < 1)
		return 0;
	mem_fail_from(in[0]);
	r = pm_lnk_parse(in + 1, len - 1, &l, &e);
	mem_fail_from(0);
	assert((r == 0) == (e.kind == ERR_NONE));
	if (r < 0)
		return 0;
	assert(pm_rewrite_add(&rw, "C:", "D:\\moved", &e) == 0);
	pm_rewrite_sort(&rw);
	/* A string may grow too long for a link; nothing else can go wrong. */
	if (pm_lnk_rewrite(&l, &rw, &changed, &e) < 0 ||
	    pm_lnk_build(&l, &out, &e) < 0) {
		assert(e.kind == ERR_UNSUPPORTED);
		return 0;
	}
	if (out.len <= PM_LNK_MAX)
		assert(pm_lnk_parse(out.at, out.len, &again, &e) == 0);
	return 0;
}
