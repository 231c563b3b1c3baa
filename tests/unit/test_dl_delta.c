/* test_dl_delta.c - the manifest of a delta
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "delta/delta.h"

enum { MIB = 1 << 20 };

/* A delta with everything in it. */
static void
build(struct dl_delta *d)
{
	static const uint8_t hash[CX_HASH_BYTES] = { 1, 2, 3 };
	struct err e = ERR_INIT;

	d->old_size = 5 * MIB + 512;
	d->new_size = 6 * MIB;
	d->created = 1234567890;
	d->old_name = strdup("win7:1");
	d->new_name = strdup("win7:2");
	d->stored = (struct dl_stored){ .there = true, .line = { 7 },
					.frame = 1, .frames = 1,
					.manifest_len = 3 };
	d->has_list = true;
	d->list_frame = 1;
	d->stored.manifest = (uint8_t *)strdup("abc");
	assert_int_equal(dl_delta_block(d, DL_RUN_DATA, hash, &e), 0);
	assert_int_equal(dl_delta_block(d, DL_RUN_DATA, hash, &e), 0);
	assert_int_equal(dl_delta_block(d, DL_RUN_ZERO, NULL, &e), 0);
	assert_int_equal(dl_delta_block(d, DL_RUN_UNUSED, NULL, &e), 0);
	assert_int_equal(dl_delta_block(d, DL_RUN_UNUSED, NULL, &e), 0);
	assert_int_equal(dl_delta_block(d, DL_RUN_DATA, hash, &e), 0);
	assert_int_equal(d->runs, 4);
	assert_int_equal(dl_delta_unit(d, DL_UNIT_ZERO, &e), 0);
	assert_int_equal(dl_delta_target(d, 3 * MIB, MIB, &e), 0);
	assert_int_equal(dl_delta_unit(d, DL_UNIT_DATA, &e), 0);
	assert_int_equal(dl_delta_target(d, 0, 4096, &e), 0);
	assert_int_equal(dl_delta_target(d, 5 * MIB, 8192, &e), 0);
	assert_int_equal(dl_delta_base(d, 4 * MIB, 100, &e), 0);
	d->unit[1].packed = 77;
	d->unit[1].codec = 3;
	assert_int_equal(dl_delta_unit(d, DL_UNIT_DATA, &e), 0);
	assert_int_equal(dl_delta_target(d, 8192, 512, &e), 0);
	assert_int_equal(dl_delta_base(d, 0, 600, &e), 0);
	d->unit[2].patch = true;
}

static void
encode(const struct dl_delta *d, struct buf *out)
{
	struct err e = ERR_INIT;

	assert_int_equal(dl_delta_encode(d, out, &e), 0);
}

static void
reads_what_it_writes(void **state)
{
	DL_DELTA_SCOPED struct dl_delta d = DL_DELTA_EMPTY;
	DL_DELTA_SCOPED struct dl_delta got = DL_DELTA_EMPTY;
	BUF_SCOPED struct buf first = BUF_EMPTY;
	BUF_SCOPED struct buf second = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	build(&d);
	encode(&d, &first);
	assert_int_equal(dl_delta_parse("d", first.at, first.len, 2, &got, &e),
			 0);
	encode(&got, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.at, second.at, first.len);
	assert_int_equal(got.unit[1].len, 4096 + 8192);
	assert_int_equal(got.unit[1].base_len, 100);
	assert_string_equal(got.new_name, "win7:2");
}

static void
refuses_every_prefix(void **state)
{
	DL_DELTA_SCOPED struct dl_delta d = DL_DELTA_EMPTY;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;

	(void)state;
	build(&d);
	encode(&d, &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		DL_DELTA_SCOPED struct dl_delta got = DL_DELTA_EMPTY;
		struct err e = ERR_INIT;

		assert_int_equal(dl_delta_parse("d", bytes.at, n, 2, &got, &e),
				 -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_null(got.unit);
	}
}

static void overlap(struct dl_delta *d) { d->extent[1].at = 3 * MIB + 4096; }
static void outside(struct dl_delta *d) { d->extent[2].at = 6 * MIB - 4096; }
static void base_outside(struct dl_delta *d) { d->extent[3].at = 6 * MIB; }
static void empty_place(struct dl_delta *d) { d->extent[1].len = 0; }
static void no_frame(struct dl_delta *d) { d->unit[1].frame = 2; }
static void no_list(struct dl_delta *d) { d->list_frame = 2; }
static void no_records(struct dl_delta *d) { d->stored.frames = 2; }
static void too_few_blocks(struct dl_delta *d) { d->run[2].count = 1; }
static void too_many_blocks(struct dl_delta *d) { d->run[2].count = 3; }
static void endless_blocks(struct dl_delta *d) { d->run[2].count = UINT64_MAX; }
static void split_run(struct dl_delta *d) { d->run[1].kind = DL_RUN_UNUSED; }
static void too_large(struct dl_delta *d) { d->extent[2].len = DL_UNIT_MAX; }
static void endless(struct dl_delta *d) { d->extent[0].len = UINT64_MAX; }

static void
refuses_what_makes_no_sense(void **state)
{
	static void (*const breaks[])(struct dl_delta *) = {
		overlap, outside, base_outside, empty_place, no_frame,
		no_list, no_records, too_few_blocks, too_many_blocks, endless_blocks,
		split_run, too_large, endless,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		DL_DELTA_SCOPED struct dl_delta d = DL_DELTA_EMPTY;
		DL_DELTA_SCOPED struct dl_delta got = DL_DELTA_EMPTY;
		BUF_SCOPED struct buf bytes = BUF_EMPTY;
		struct err e = ERR_INIT;

		build(&d);
		breaks[i](&d);
		encode(&d, &bytes);
		assert_int_equal(dl_delta_parse("d", bytes.at, bytes.len, 2,
						&got, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_null(got.unit);
	}
}

static void
survives_a_lack_of_memory(void **state)
{
	DL_DELTA_SCOPED struct dl_delta d = DL_DELTA_EMPTY;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;
	int r = -1;

	(void)state;
	build(&d);
	encode(&d, &bytes);
	for (unsigned n = 1; r < 0; n++) {
		DL_DELTA_SCOPED struct dl_delta got = DL_DELTA_EMPTY;
		struct err e = ERR_INIT;

		mem_fail_from(n);
		r = dl_delta_parse("d", bytes.at, bytes.len, 2, &got, &e);
		mem_fail_from(0);
		assert_true(r == 0 || e.kind == ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(refuses_every_prefix),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
