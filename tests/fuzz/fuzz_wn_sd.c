/* fuzz_wn_sd.c - no bytes crash the reader of security descriptors, and its
 * two written forms say the same
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "windows/sd.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* The text of a descriptor, read and written again, is the same text. */
static void
check_text(const struct wn_sd *sd)
{
	WN_SD_SCOPED struct wn_sd again = WN_SD_EMPTY;
	BUF_SCOPED struct buf a = BUF_EMPTY, b = BUF_EMPTY;
	struct err e = ERR_INIT;

	buf_str(&a, "");
	buf_str(&b, "");
	if (wn_sd_to_sddl(sd, &a, &e) < 0)
		return;
	assert(wn_sd_from_sddl((char *)a.at, &again, &e) == 0);
	assert(wn_sd_to_sddl(&again, &b, &e) == 0);
	assert(a.len == b.len && memcmp(a.at, b.at, a.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct wn_sid somebody = {
		.len = 12, .at = { 1, 1, 0, 0, 0, 0, 0, 5, 18 },
	};
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY, again = WN_SD_EMPTY,
		text = WN_SD_EMPTY;
	BUF_SCOPED struct buf a = BUF_EMPTY, b = BUF_EMPTY;
	SCOPED_FREE char *sddl = NULL;
	struct err e = ERR_INIT, e2 = ERR_INIT;
	int r;

	if (len < 1)
		return 0;
	mem_fail_from(in[0]);
	r = wn_sd_parse(in + 1, len - 1, &sd, &e);
	mem_fail_from(0);
	assert((r == 0) == (e.kind == ERR_NONE));
	sddl = mem_strn(in + 1, len - 1, &e2);
	assert(sddl != NULL);
	if (wn_sd_from_sddl(sddl, &text, &e2) == 0)
		check_text(&text);
	if (r < 0)
		return 0;
	(void)wn_sd_grants(&sd, &somebody, 1, 0x1f01ff, 0x1f01ff);
	check_text(&sd);
	wn_sd_build(&sd, &a);
	if (a.len > WN_SD_MAX)
		return 0;
	assert(wn_sd_parse(a.at, a.len, &again, &e) == 0);
	wn_sd_build(&again, &b);
	assert(a.len == b.len && memcmp(a.at, b.at, a.len) == 0);
	wn_sd_translate(&sd, NULL, 0, &somebody, &somebody, NULL);
	return 0;
}
