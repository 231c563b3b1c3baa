/* fuzz_inf.c - the reader of INF files, on any bytes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/inf.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	HN_INF_SCOPED struct hn_inf inf = HN_INF_EMPTY;
	int r;

	if (len == 0)
		return 0;
	mem_fail_from(in[0] < 0x80 ? in[0] : 0);
	r = hn_inf_parse("inf", in + 1, len - 1, &inf, &e);
	mem_fail_from(0);
	if (r < 0) {
		if (e.kind == ERR_NONE || inf.sections != 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < inf.sections; i++)
		for (size_t l = 0; l < inf.at[i].lines; l++)
			for (size_t f = 0; f < inf.at[i].line[l].fields; f++) {
				SCOPED_FREE char *text = hn_inf_field(&inf,
					&inf.at[i].line[l], f, &e);

				if (text == NULL)
					abort();
			}
	return 0;
}
