/* fuzz_rt_guest.c - guest files
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte is the failing allocation.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "runtime/device.h"
#include "runtime/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	RT_GUEST_SCOPED struct rt_guest g = RT_GUEST_EMPTY;
	struct err e = ERR_INIT;

	if (len == 0)
		return 0;
	mem_fail_from(in[0]);
	int r = rt_guest_parse("guest", in + 1, len - 1, &g, &e);
	mem_fail_from(0);
	if ((r == 0) != (g.name != NULL))
		abort();
	/* Nothing that could become another option of QEMU's. */
	if (r == 0 && (!rt_guest_name_ok(g.name) || strchr(g.image, ',') != NULL ||
		       g.memory > rt_device(g.os)->memory_max || g.cpus == 0))
		abort();
	return 0;
}
