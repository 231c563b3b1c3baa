/* fuzz_pe.c - the reader of driver files, on any bytes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	struct hn_pe pe = HN_PE_EMPTY;

	if (len == 0)
		return 0;
	mem_fail_from(in[0]);		/* 0: no allocation fails */
	if (hn_pe_parse("driver", in + 1, len - 1, &pe, &e) < 0) {
		if (e.kind == ERR_NONE || pe.modules != 0)
			abort();
	} else {
		for (size_t i = 0; i < pe.modules; i++)
			if (pe.module[i][0] == '\0' ||
			    strlen(pe.module[i]) > 255)
				abort();
	}
	mem_fail_from(0);
	hn_pe_done(&pe);
	return 0;
}
