/* test_vo_mft.c - MFT records that mkntfs and libntfs-3g wrote
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The records are the seeds of tests/fuzz/corpus/vo_mft: 0 is $MFT itself, 442 a
 * sparse file; what they must say is what sleuthkit's istat said of them.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "volume/layout.h"
#include "volume/mft.h"

static void
load(const char *name, uint8_t rec[1024])
{
	struct err e = ERR_INIT;
	SCOPED_FREE uint8_t *bytes = NULL;
	char path[128];
	size_t len;

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/vo_mft/%s", name);
	assert_int_equal(io_slurp(path, 1024, &bytes, &len, &e), 0);
	assert_int_equal(len, 1024);
	memcpy(rec, bytes, len);
}

/* The runs of the unnamed data. */
struct seen {
	unsigned runs;
	uint64_t size, vcn, lcn, len;
};

static int
note(void *arg, const struct vo_mft_attr *a, struct err *e)
{
	struct seen *s = arg;
	struct vo_mft_runs r = { .at = a->value, .left = a->value_len,
				 .vcn = a->first_vcn };
	uint64_t vcn, lcn, len;
	bool sparse;

	(void)e;
	if (a->type != VO_ATTR_DATA || a->name_bytes > 0 || a->resident)
		return 0;
	s->size = a->size;
	while (vo_mft_next_run(&r, &vcn, &lcn, &len, &sparse) > 0) {
		if (sparse)
			continue;
		s->runs++;
		s->vcn = vcn;
		s->lcn = lcn;
		s->len = len;
	}
	return 0;
}

static void
reads_the_mft_itself(void **state)
{
	struct vo_mft_record r;
	struct seen s = { .runs = 0 };
	struct err e = ERR_INIT;
	uint8_t rec[1024];

	(void)state;
	load("record0", rec);
	assert_true(vo_mft_open(rec, sizeof(rec), &r));
	assert_true(r.used && !r.is_folder && !r.extends);
	assert_true(vo_mft_attrs(rec, sizeof(rec), note, &s, &e));
	assert_int_equal(s.size, 835584);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.lcn, 4);
	assert_int_equal(s.len, 207);
}

static void
leaves_holes_out(void **state)
{
	struct vo_mft_record r;
	struct seen s = { .runs = 0 };
	struct err e = ERR_INIT;
	uint8_t rec[1024];

	(void)state;
	load("record442", rec);
	assert_true(vo_mft_open(rec, sizeof(rec), &r));
	assert_true(vo_mft_attrs(rec, sizeof(rec), note, &s, &e));
	assert_int_equal(s.size, 16777216);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.vcn, 2048);
	assert_int_equal(s.lcn, 304840);
	assert_int_equal(s.len, 1);
}

static void
knows_a_folder(void **state)
{
	struct vo_mft_record r;
	uint8_t rec[1024];

	(void)state;
	load("record5", rec);
	assert_true(vo_mft_open(rec, sizeof(rec), &r));
	assert_true(r.used && r.is_folder);
}

/* A sector whose last two bytes are not what the record says was not written
 * with the others. */
static void
refuses_a_torn_record(void **state)
{
	struct vo_mft_record r;
	uint8_t rec[1024];

	(void)state;
	load("record0", rec);
	rec[511] ^= 1;
	assert_false(vo_mft_open(rec, sizeof(rec), &r));
	load("record0", rec);
	assert_false(vo_mft_open(rec, 512, &r));
	rec[0] = 'B';
	assert_false(vo_mft_open(rec, sizeof(rec), &r));
}

static void
refuses_runs_that_lie(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} bad[] = {
		{ "nothing", "", 0 },
		{ "cut off", "\x21\x10", 2 },
		{ "no clusters", "\x11\x00\x05\x00", 4 },
		{ "before the volume", "\x11\x01\xff\x00", 4 },
		{ "nine bytes long", "\x19\x01\x01\x01\x01\x01\x01\x01\x01\x01"
		  "\x01\x00", 12 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct vo_mft_runs r = { .at = (const uint8_t *)bad[i].bytes,
					 .left = bad[i].len };
		uint64_t vcn, lcn, len;
		bool sparse;

		assert_int_equal(vo_mft_next_run(&r, &vcn, &lcn, &len, &sparse),
				 -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_mft_itself),
		cmocka_unit_test(leaves_holes_out),
		cmocka_unit_test(knows_a_folder),
		cmocka_unit_test(refuses_a_torn_record),
		cmocka_unit_test(refuses_runs_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
