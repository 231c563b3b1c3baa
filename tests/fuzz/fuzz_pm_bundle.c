/* fuzz_pm_bundle.c - no bytes crash the reader of catalogues, and what it
 * reads it writes as it was
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "profmig/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
	PM_BUNDLE_SCOPED struct pm_bundle same = PM_BUNDLE_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	BUF_SCOPED struct buf again = BUF_EMPTY;
	struct err e = ERR_INIT;
	int r;

	if (len < 1)
		return 0;
	mem_fail_from(in[0]);
	r = pm_bundle_parse(in + 1, len - 1, 1 << 20, &b, &e);
	mem_fail_from(0);
	assert((r == 0) == (e.kind == ERR_NONE));
	if (r < 0)
		return 0;
	/* One from when fewer folders were known is written with all of them. */
	pm_bundle_put(&b, &out);
	assert(out.len >= len - 1);
	assert(pm_bundle_parse(out.at, out.len, 1 << 20, &same, &e) == 0);
	pm_bundle_put(&same, &again);
	assert(again.len == out.len && memcmp(again.at, out.at, out.len) == 0);
	return 0;
}
