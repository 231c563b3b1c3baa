/* fuzz_dk_parts.c - no disk crashes the readers of its first and last sectors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "disk/parts.h"
#include "volume/volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	DK_PARTS_SCOPED struct dk_parts p = DK_PARTS_EMPTY;

	if (len < 1)
		return 0;
	DK_SCOPED struct dk *d = dk_over_bytes("fuzz", in + 1, len - 1, &e);

	assert(d != NULL);
	mem_fail_from(in[0]);
	int r = dk_parts_read(d, &p, &e);

	mem_fail_from(0);
	assert((r == 0) == (e.kind == ERR_NONE));
	assert(in[0] != 0 || e.kind != ERR_NOMEM);
	for (size_t i = 0; r == 0 && i < p.count; i++) {
		enum vo_kind kind;

		assert(p.at[i].size > 0);
		assert(num_in_range(p.at[i].start, p.at[i].size, d->size));
		assert(memchr(p.at[i].name, 0, sizeof(p.at[i].name)) != NULL);
		assert(vo_probe(d, p.at[i].start, p.at[i].size, &kind, &e) == 0);
	}
	return 0;
}
