/* fuzz_vo_fat.c - no folder of a FAT volume crashes its reader
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte chooses which allocation is refused (0: none).
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "volume/fat_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct err e = ERR_INIT;
	VO_FAT_DIR_SCOPED struct vo_fat_dir d = VO_FAT_DIR_EMPTY;
	BUF_SCOPED struct buf answer = BUF_EMPTY;

	if (len < 1)
		return 0;
	mem_fail_from(in[0]);
	int r = vo_fat_dir_parse(in + 1, len - 1, 1, &d, &e);

	mem_fail_from(0);
	assert((r == 0) == (e.kind == ERR_NONE));
	assert(in[0] != 0 || e.kind != ERR_NOMEM);
	for (size_t i = 0; r == 0 && i < d.count; i++) {
		assert(*d.at[i].name != '\0');
		assert(strchr(d.at[i].name, '/') == NULL);
		assert(strcmp(d.at[i].name, "..") != 0);
		assert(vo_fat_dir_find(&d, d.at[i].name) != NULL);
	}
	vo_fat_dir_put(&d, &answer);
	assert(buf_ok(&answer, &e) == 0);
	return 0;
}
