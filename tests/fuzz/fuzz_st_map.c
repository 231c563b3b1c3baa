/* fuzz_st_map.c - maps and roots, as if they had been authenticated
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The first byte says which allocation fails.  What is accepted is written
 * again as the same bytes.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check(const struct buf *b, const uint8_t *in, size_t len)
{
	if (b->len != len || memcmp(b->at, in, len) != 0)
		abort();
}

static void
map(const uint8_t *in, size_t len)
{
	ST_MAP_SCOPED struct st_map m = ST_MAP_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	if (st_map_parse(in, len, &m, &e) < 0) {
		assert(e.kind != ERR_NONE);
		return;
	}
	for (size_t i = 0; i < m.extents; i++) {
		const struct st_extent *x = &m.extent[i];

		assert(x->chunk < m.chunks && x->at < ST_SEGMENT_SECTORS);
		assert((x->off + x->len) * ST_SECTOR <= m.chunk[x->chunk].len);
		if (st_map_find(&m, x->at) != i)
			abort();
	}
	if (st_map_encode(&m, &b, &e) == 0)
		check(&b, in, len);
}

static void
root(const uint8_t *in, size_t len)
{
	ST_ROOT_SCOPED struct st_root r = ST_ROOT_EMPTY;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;

	if (st_root_parse(in, len, &r, &e) < 0) {
		assert(e.kind != ERR_NONE);
		return;
	}
	for (size_t i = 0; i < r.segments; i++)
		if (st_root_find(&r, r.segment[i].number) != &r.segment[i])
			abort();
	if (st_root_encode(&r, &b, &e) == 0)
		check(&b, in, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	if (len == 0)
		return 0;
	mem_fail_from(in[0]);
	map(in + 1, len - 1);
	mem_fail_from(in[0]);
	root(in + 1, len - 1);
	mem_fail_from(0);
	return 0;
}
