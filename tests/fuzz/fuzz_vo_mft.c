/* fuzz_vo_mft.c - MFT records from anybody's disk
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scope.h"
#include "volume/mft.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

struct place {
	const uint8_t *rec;
	size_t len;
};

/* What an attribute says lies in its record, and its runs end. */
static int
check_attr(void *arg, const struct vo_mft_attr *a, struct err *e)
{
	const struct place *p = arg;
	struct vo_mft_runs runs = { .at = a->value, .left = a->value_len,
				    .vcn = a->first_vcn };
	uint64_t vcn, lcn, count;
	bool sparse;

	(void)e;
	assert(num_in_range((uint64_t)(a->value - p->rec), a->value_len,
			    p->len));
	assert(a->name_bytes == 0 ||
	       num_in_range((uint64_t)(a->name - p->rec), a->name_bytes,
			    p->len));
	if (a->resident)
		return 0;
	while (vo_mft_next_run(&runs, &vcn, &lcn, &count, &sparse) > 0)
		assert(count > 0 && runs.left < a->value_len);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	struct vo_mft_record r;
	SCOPED_FREE uint8_t *rec = mem_array(len, 1, &e);
	struct place p = { .rec = rec, .len = len };

	if (rec == NULL || len > 65536)
		return 0;
	memcpy(rec, in, len);
	if (vo_mft_open(rec, len, &r))
		(void)vo_mft_attrs(rec, len, check_attr, &p, &e);
	return 0;
}
