/* fuzz_dk_log.c - no log of a transaction crashes its reader
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).  The hash of
 * the head is put right, so that what lies behind it is reached.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
put_hash(uint8_t *head, size_t len)
{
	struct hash h;

	hash_begin(&h);
	hash_add(&h, head, 64);
	hash_add(&h, head + DK_LOG_FIXED, len - DK_LOG_FIXED);
	hash_end(&h, head + 64);
}

static void
check(const struct dk_log *log, const uint8_t *head, size_t len)
{
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf again = BUF_EMPTY;
	uint64_t end = 0;

	for (size_t i = 0; i < log->count; i++) {
		const struct dk_log_extent *x = &log->at[i];

		assert(x->at >= end && x->len > 0);
		assert(num_in_range(x->at, x->len, log->disk_size));
		assert(num_in_range(x->bytes_at, x->len, log->tx.bytes));
		end = x->at + x->len;
	}
	assert(dk_log_encode(log, &again, &e) == 0);
	assert(again.len == len && memcmp(again.at, head, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	DK_LOG_SCOPED struct dk_log log = DK_LOG_EMPTY;
	SCOPED_FREE uint8_t *head = NULL;
	size_t says;

	if (len < 1 + DK_LOG_FIXED)
		return 0;
	head = mem_array(len - 1, 1, &e);
	assert(head != NULL);
	memcpy(head, in + 1, len - 1);
	put_hash(head, len - 1);
	if (dk_log_head_len(head, &says, &e) < 0)
		return 0;
	mem_fail_from(in[0]);
	int r = dk_log_parse(head, len - 1, &log, &e);

	mem_fail_from(0);
	assert((r == 0) == (e.kind == ERR_NONE));
	assert(in[0] != 0 || e.kind != ERR_NOMEM);
	if (r == 0) {
		assert(says == len - 1);
		check(&log, head, len - 1);
	}
	return 0;
}
