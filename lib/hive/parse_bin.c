/* parse_bin.c - bins and cells: where they begin, and that each is used once
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/parse-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

static PRINTF(7, 0) int
tell(struct hv_load *ld, char level, bool healed, const char *rule,
     uint32_t cell, struct err *e, const char *fmt, va_list ap)
{
	char what[256];
	struct hv_fault f = {
		.rule = rule, .level = level, .healed = healed,
		.at = HV_BASE_BYTES + cell, .key = ld->key, .what = what,
	};

	(void)vsnprintf(what, sizeof(what), fmt, ap);
	return ld->fault(ld->ctx, &f, e);
}

#define TELLS(name, level, healed)					\
	int								\
	name(struct hv_load *ld, const char *rule, uint32_t cell,	\
	     struct err *e, const char *fmt, ...)			\
	{								\
		va_list ap;						\
									\
		va_start(ap, fmt);					\
		int r = tell(ld, level, healed, rule, cell, e, fmt, ap);	\
		va_end(ap);						\
		return r;						\
	}

TELLS(hv_bad, 'E', false)
TELLS(hv_mended, 'E', true)
TELLS(hv_odd, 'W', true)
TELLS(hv_note, 'I', true)

static bool
bit(const uint64_t *set, uint32_t cell)
{
	return (set[cell / 512] >> cell / 8 % 64 & 1) != 0;
}

/* Allocated cells have a negative size. */
static uint32_t
cell_size(uint32_t raw)
{
	return raw >> 31 != 0 ? (uint32_t)(((uint64_t)1 << 32) - raw) : raw;
}

bool
hv_is_cell(const struct hv_load *ld, uint32_t cell)
{
	return cell % 8 == 0 && cell < ld->size && bit(ld->starts, cell);
}

struct cur
hv_peek(const struct hv_load *ld, uint32_t cell)
{
	struct cur c = ld->bins;

	(void)cur_sub(&c, cell);
	uint32_t size = cell_size(cur_u32le(&c));
	return cur_sub(&c, size - 4);
}

void
hv_use(struct hv_load *ld, uint32_t cell)
{
	ld->used[cell / 512] |= (uint64_t)1 << cell / 8 % 64;
}

int
hv_cell(struct hv_load *ld, uint32_t cell, const char *rule, const char *what,
	struct cur *ret, struct err *e)
{
	if (!hv_is_cell(ld, cell))
		return hv_bad(ld, rule, cell, e, "%s is no allocated cell", what);
	if (bit(ld->used, cell))
		return hv_bad(ld, "C3", cell, e, "%s is a cell already in use",
			      what);
	hv_use(ld, cell);
	*ret = hv_peek(ld, cell);
	return 1;
}

/* An allocated cell; remembered if it may be a security cell. */
static int
note_cell(struct hv_load *ld, uint32_t cell, struct err *e)
{
	ld->starts[cell / 512] |= (uint64_t)1 << cell / 8 % 64;
	struct cur c = hv_peek(ld, cell);
	uint16_t sig = cur_u16le(&c);

	if (!cur_ok(&c) || sig != ('s' | 'k' << 8))
		return 0;
	if (mem_grow(&ld->sk, &ld->sk_cap, ld->sk_count + 1, sizeof(*ld->sk),
		     e) < 0)
		return -1;
	ld->sk[ld->sk_count++] = (struct hv_sk){ .cell = cell };
	return 0;
}

static int
load_cells(struct hv_load *ld, uint32_t bin, uint32_t end, struct err *e)
{
	struct cur c = ld->bins;
	uint32_t at = bin + HV_BIN_HEADER;
	bool free_before = false;

	(void)cur_sub(&c, at);
	while (at < end) {
		uint32_t raw = cur_u32le(&c);
		bool allocated = raw >> 31 != 0;
		uint32_t size = cell_size(raw);

		if (size < 8 || size % 8 != 0 || size > end - at)
			return hv_bad(ld, "H2", at, e,
				      "cell of %u bytes does not fit its bin",
				      size);
		if (!allocated && free_before &&
		    hv_odd(ld, "H4", at, e, "free cell follows a free cell") < 0)
			return -1;
		if (allocated && note_cell(ld, at, e) < 0)
			return -1;
		free_before = !allocated;
		(void)cur_sub(&c, size - 4);
		at += size;
	}
	return 0;
}

/* *ret is the size of the bin, or 0 when the walk cannot go on. */
static int
load_bin(struct hv_load *ld, uint32_t at, uint32_t all, uint32_t *ret,
	 struct err *e)
{
	struct cur c = ld->bins;

	(void)cur_sub(&c, at);
	cur_magic(&c, "hbin", 4);
	uint32_t offset = cur_u32le(&c), size = cur_u32le(&c);
	*ret = 0;
	if (!cur_ok(&c))
		return hv_bad(ld, "H1", at, e, "bin has no signature");
	if (offset != at &&
	    hv_bad(ld, "H1", at, e, "bin says its offset is %#x", offset) < 0)
		return -1;
	if (size < HV_BIN_UNIT || size % HV_BIN_UNIT != 0 || size > all - at)
		return hv_bad(ld, "H1", at, e, "bin of %#x bytes does not fit",
			      size);
	if (load_cells(ld, at, at + size, e) < 0)
		return -1;
	*ret = size;
	return 0;
}

int
hv_load_bins(struct hv_load *ld, struct err *e)
{
	uint32_t all = (uint32_t)cur_left(&ld->bins), at = 0;

	ld->size = all;
	while (at < all) {
		uint32_t size;

		if (load_bin(ld, at, all, &size, e) < 0)
			return -1;
		if (size == 0)
			break;
		at += size;
	}
	if (at != all && hv_bad(ld, "H3", at, e, "bins end before %#x, where the "
				"header says", all) < 0)
		return -1;
	return 0;
}

int
hv_load_orphans(struct hv_load *ld, struct err *e)
{
	for (uint32_t at = 0; at < ld->size; at += 512) {
		uint64_t lost = ld->starts[at / 512] & ~ld->used[at / 512];

		for (; lost != 0; lost &= lost - 1) {
			uint32_t cell = at + 8 * (uint32_t)__builtin_ctzll(lost);

			if (hv_odd(ld, "C2", cell, e,
				   "allocated cell that nothing points to") < 0)
				return -1;
		}
	}
	return 0;
}
