/* fuzz_regtext.c - .reg text that is taken is written, and taken as the same
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * First byte: which allocation is refused, or from 0x80 on none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "hive/regtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static int
apply(void *ctx, const struct hv_reg *r, struct err *e)
{
	struct hv_hive *h = ctx;
	const char *path = hv_reg_below(r->path, "");

	return path == NULL ? 0 : hv_reg_do(h, path, r, e);
}

static void
read_into(struct hv_hive *h, const struct buf *text)
{
	struct err e = ERR_INIT;

	if (hv_reg_read("again", text->at, text->len, apply, h, &e) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	BUF_SCOPED struct buf text = BUF_EMPTY, wide = BUF_EMPTY,
		again = BUF_EMPTY;

	if (len == 0)
		return 0;
	HV_SCOPED struct hv_hive *h = hv_new(5, &e);
	HV_SCOPED struct hv_hive *i = hv_new(5, &e);
	HV_SCOPED struct hv_hive *j = hv_new(5, &e);
	if (h == NULL || i == NULL || j == NULL)
		return 0;
	mem_fail_from(in[0] < 0x80 ? in[0] : 0);
	int r = hv_reg_read("text", in + 1, len - 1, apply, h, &e);
	mem_fail_from(0);
	if (r < 0 && e.kind == ERR_NONE)
		abort();
	e = (struct err)ERR_INIT;
	if (hv_reg_write(hv_root(h), "", HV_REG_UTF8, &text, &e) < 0) {
		if (e.kind != ERR_UNSUPPORTED)
			abort();
		return 0;
	}
	if (hv_reg_write(hv_root(h), "", HV_REG_UTF16, &wide, &e) < 0)
		abort();
	read_into(i, &text);
	read_into(j, &wide);
	if (hv_reg_write(hv_root(i), "", HV_REG_UTF8, &again, &e) < 0 ||
	    again.len != text.len || memcmp(again.at, text.at, text.len) != 0)
		abort();
	buf_done(&again);
	if (hv_reg_write(hv_root(j), "", HV_REG_UTF8, &again, &e) < 0 ||
	    again.len != text.len || memcmp(again.at, text.at, text.len) != 0)
		abort();
	return 0;
}
