/* fuzz_plan.c - the reader of plans: what it takes, it writes and takes again
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "change/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* The same plan again from its own text, and the same text from that. */
static void
fixed_point(struct cs_plan *p)
{
	struct err e = ERR_INIT;
	size_t len, again_len;
	SCOPED_FREE char *text = cs_text(p, &len, &e);
	CS_PLAN_SCOPED struct cs_plan *q =
		text != NULL ? cs_parse("again", text, len, &e) : NULL;
	SCOPED_FREE char *again =
		q != NULL ? cs_text(q, &again_len, &e) : NULL;

	if (again == NULL || strcmp(text, again) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;

	if (len == 0)
		return 0;
	mem_fail_from(in[0] < 0x80 ? in[0] : 0);
	CS_PLAN_SCOPED struct cs_plan *p =
		cs_parse("plan", in + 1, len - 1, &e);

	mem_fail_from(0);
	if (p != NULL)
		fixed_point(p);
	else if (e.kind == ERR_NONE)
		abort();
	return 0;
}
