/* fuzz_rt_qmp.c - what QEMU may say on its monitor
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte is the failing allocation.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "runtime/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
	struct err e = ERR_INIT;

	if (len == 0)
		return 0;
	mem_fail_from(in[0]);
	int r = rt_qmp_parse(in + 1, len - 1, &m, &e);
	mem_fail_from(0);
	/* The header's promises. */
	if ((r == 0) != (m.doc != NULL) || (r == 0) != (e.kind == ERR_NONE))
		abort();
	if (r == 0 && (m.kind == RT_QMP_EVENT || m.kind == RT_QMP_ERROR) &&
	    m.name == NULL)
		abort();
	return 0;
}
