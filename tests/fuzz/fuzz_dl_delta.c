/* fuzz_dl_delta.c - manifests of deltas, as a signer gone bad might make them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	DL_DELTA_SCOPED struct dl_delta d = DL_DELTA_EMPTY;
	BUF_SCOPED struct buf again = BUF_EMPTY;
	struct err e = ERR_INIT;

	if (len == 0)
		return 0;
	mem_fail_from(in[0] & 0x1f);
	if (dl_delta_parse("d", in + 1, len - 1, 4, &d, &e) < 0) {
		mem_fail_from(0);
		assert(e.kind != ERR_NONE && d.unit == NULL);
		return 0;
	}
	mem_fail_from(0);
	for (size_t i = 0; i < d.units; i++) {
		const struct dl_unit *u = &d.unit[i];

		for (size_t j = 0; j < u->targets; j++)
			assert(num_in_range(d.extent[u->target + j].at,
					    d.extent[u->target + j].len,
					    d.new_size));
		for (size_t j = 0; j < u->bases; j++)
			assert(num_in_range(d.extent[u->base + j].at,
					    d.extent[u->base + j].len,
					    d.old_size));
	}
	assert(dl_delta_encode(&d, &again, &e) == 0);
	assert(again.len == len - 1 && memcmp(again.at, in + 1, len - 1) == 0);
	return 0;
}
