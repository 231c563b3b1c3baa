/* fuzz_dl_patch.c - patches, as a signer gone bad might make them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>

#include "base/err.h"
#include "base/mem.h"
#include "delta/patch.h"
#include "store/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	ST_CODER_SCOPED struct st_coder *c = st_coder_new(&e);
	uint8_t base[3000], out[2000];

	assert(c != NULL);
	for (size_t i = 0; i < sizeof(base); i++)
		base[i] = (uint8_t)(i * 7 / 3);
	if (len == 0)
		return 0;
	mem_fail_from(in[0] & 0xf);
	if (dl_patch_apply(c, in + 1, len - 1, base, sizeof(base), out,
			   sizeof(out), &e) < 0)
		assert(e.kind != ERR_NONE);
	mem_fail_from(0);
	return 0;
}
