/* fuzz_dl_list.c - lists of files in deltas
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>

#include "base/err.h"
#include "base/mem.h"
#include "delta/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	DL_LIST_SCOPED struct dl_list l = DL_LIST_EMPTY;
	struct err e = ERR_INIT;

	if (len == 0)
		return 0;
	mem_fail_from(in[0] & 0x1f);
	if (dl_list_parse("l", in + 1, len - 1, &l, &e) < 0)
		assert(e.kind != ERR_NONE && l.at == NULL);
	mem_fail_from(0);
	for (size_t i = 0; i < l.count; i++)
		assert(l.at[i].path != NULL);
	return 0;
}
