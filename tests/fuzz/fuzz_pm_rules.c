/* fuzz_pm_rules.c - no text crashes the reader of rules
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>

#include "base/err.h"
#include "base/mem.h"
#include "profmig/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	PM_RULES_SCOPED struct pm_rules r = PM_RULES_EMPTY;
	struct err e = ERR_INIT;
	int got;

	if (len < 1)
		return 0;
	mem_fail_from(in[0]);
	got = pm_rules_add(&r, "fuzz", in + 1, len - 1, &e);
	mem_fail_from(0);
	assert((got == 0) == (e.kind == ERR_NONE));
	assert((got == 0) == (r.count == 1));
	for (size_t i = 0; got == 0 && i < r.at[0].registries; i++)
		assert(r.at[0].registry[i].how < PM_DO_COUNT &&
		       r.at[0].registry[i].to_key != NULL);
	for (size_t i = 0; got == 0 && i < r.at[0].files; i++)
		assert(r.at[0].file_set[i].place < PM_PLACES &&
		       r.at[0].file_set[i].to_place < PM_PLACES);
	return 0;
}
