/* fuzz_hive.c - what the reader of hives takes, can be edited and written
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * First byte: which allocation is refused (0: none; from 0x80 on: none, and
 * edit).  The rest is a hive, whose header is mended: the parser behind the
 * checksum is what is tested.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "hive/hive.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

enum { BASE = 4096 };

static void
mend_header(uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	if (len < BASE + 4096)
		return;
	memcpy(at, "regf\1\0\0\0\1\0\0\0", 12);
	num_put_u32le(at + 20, 1);
	num_put_u32le(at + 24, 3 + at[24] % 4u);
	num_put_u32le(at + 28, 0);
	num_put_u32le(at + 32, 1);
	num_put_u32le(at + 40, (uint32_t)((len - BASE) / 4096 * 4096));
	num_put_u32le(at + 44, 1);
	for (size_t i = 0; i < 508; i += 4)
		sum ^= at[i] | (uint32_t)at[i + 1] << 8 |
		       (uint32_t)at[i + 2] << 16 | (uint32_t)at[i + 3] << 24;
	num_put_u32le(at + 508, sum == 0xffffffff ? 0xfffffffe :
		      sum == 0 ? 1 : sum);
}

/* Edits that any hive must stand; each may be refused for a reason. */
static void
edit(struct hv_hive *h)
{
	static const struct hv_sid_map map = { "S-1-5-32-544", "S-1-5-21-1-2-3-4" };
	struct err e = ERR_INIT;
	struct hv_key *root = hv_root(h), *k = hv_first(root);
	size_t keys;

	if (k != NULL && hv_rename(k, "\xc3\xa9t\xc3\xa9", &e) < 0)
		e = (struct err)ERR_INIT;	/* there is one of that name */
	k = k == NULL ? NULL : hv_next(k);
	if (k != NULL && hv_delete(k, &e) < 0)
		abort();
	k = hv_create(root, "a\\b\\c", &e);
	if (k == NULL || hv_set_dword(k, "n", 7, &e) < 0 ||
	    hv_copy(root, hv_find(root, "a"), HV_MERGE_KEEP, &e) < 0)
		e = (struct err)ERR_INIT;	/* a predefined key */
	if (hv_map_sids(root, &map, 1, &keys, &e) < 0 &&
	    e.kind != ERR_UNSUPPORTED)
		abort();
}

static int
ignore(void *ctx, const struct hv_fault *f, struct err *e)
{
	(void)ctx;
	(void)e;
	if (f->what[0] == '\0')
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf out = BUF_EMPTY;

	if (len == 0)
		return 0;
	SCOPED_FREE uint8_t *image = malloc(len);
	if (image == NULL)
		return 0;
	memcpy(image, in + 1, len - 1);
	mend_header(image, len - 1);
	mem_fail_from(in[0] < 0x80 ? in[0] : 0);
	HV_SCOPED struct hv_hive *h = hv_open("hive", image, len - 1, NULL, 0,
					      HV_LOGS_REPLAY, &e);
	if (h != NULL) {
		if (in[0] >= 0x80)
			edit(h);
		/* What was taken can be written, and is proven there. */
		if (hv_serialize(h, &out, &e) < 0 && e.kind != ERR_NOMEM)
			abort();
	} else if (e.kind == ERR_NONE) {
		abort();
	}
	mem_fail_from(0);
	e = (struct err)ERR_INIT;
	if (hv_check("hive", image, len - 1, ignore, NULL, &e) < 0 &&
	    e.kind != ERR_UNSUPPORTED)
		abort();
	return 0;
}
