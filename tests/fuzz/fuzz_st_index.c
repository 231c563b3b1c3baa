/* fuzz_st_index.c - index fragments, which nobody authenticates
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "store/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static char dir[] = "/tmp/halcyon-index.XXXXXX";

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static bool made;
	ST_INDEX_SCOPED struct st_index ix = ST_INDEX_EMPTY;
	struct err e = ERR_INIT;
	struct st_id id = { .at = { 0 } };
	char path[128], hex[ST_ID_HEX];
	struct st_place p;

	if (!made && mkdtemp(dir) == NULL)
		return 0;
	made = true;
	(void)snprintf(path, sizeof(path), "%s/%s.index", dir,
		       st_id_hex(&id, hex));
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return 0;
	(void)fwrite(in, 1, len, f);
	(void)fclose(f);
	if (st_index_add(&ix, dir, &id, &e) == 0) {
		struct err why = ERR_INIT;
		struct st_pack_info info;

		for (int i = 0; i < 256; i += 51) {
			memset(id.at, i, sizeof(id.at));
			(void)!st_index_find(&ix, &id, &p, &why);
		}
		for (size_t i = 0; i < st_index_packs(&ix) && i < 100; i++)
			(void)!st_index_pack(&ix, i, &info, &why);
	} else {
		assert(e.kind != ERR_NONE);
	}
	(void)unlink(path);
	(void)rmdir(dir);
	made = mkdir(dir, 0700) == 0;
	return 0;
}
