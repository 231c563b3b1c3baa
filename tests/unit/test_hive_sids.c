/* test_hive_sids.c - security translated on every key of a hive
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `test_hive_sids IN OUT FROM TO` translates a hive file, for a foreign judge.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "hive/hive.h"

static int
translate(char **argv, struct err *e)
{
	HV_SCOPED struct hv_hive *h = hv_load(argv[1], HV_LOGS_REPLAY, e);
	const struct hv_sid_map map = { argv[3], argv[4] };
	BUF_SCOPED struct buf b = BUF_EMPTY;
	size_t keys;

	if (h == NULL || hv_map_sids(hv_root(h), &map, 1, &keys, e) < 0 ||
	    hv_serialize(h, &b, e) < 0 ||
	    io_put(argv[2], b.at, b.len, 0644, e) < 0)
		return -1;
	(void)printf("%zu\n", keys);
	return 0;
}

/* An owner, a group, an audit entry with an object type, a deny and an allow
 * entry, a claim behind the SID, and an entry of a type nobody knows. */
static const uint8_t before[] = {
	1, 0, 0x14, 0x80, 0x9c, 0, 0, 0, 0xac, 0, 0, 0, 0x14, 0, 0, 0,
	0x44, 0, 0, 0,
	/* 0x14: system list */
	4, 0, 0x30, 0, 1, 0, 0, 0,
	7, 0x40, 0x28, 0, 1, 0, 0, 0, 1, 0, 0, 0,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
	/* 0x44: list */
	2, 0, 0x58, 0, 4, 0, 0, 0,
	1, 0, 0x14, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
	0, 2, 0x14, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 19, 0, 0, 0,
	9, 0, 0x18, 0, 3, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
	'a', 'r', 't', 'x',
	0x77, 0, 0x10, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
	/* 0x9c: owner, 0xac: group */
	1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0,
	1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
};

static const uint8_t after[] = {
	1, 0, 0x14, 0x80, 0xa8, 0, 0, 0, 0xb8, 0, 0, 0, 0x14, 0, 0, 0,
	0x48, 0, 0, 0,
	4, 0, 0x34, 0, 1, 0, 0, 0,
	7, 0x40, 0x2c, 0, 1, 0, 0, 0, 1, 0, 0, 0,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	1, 2, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0, 7, 0, 0, 0,
	2, 0, 0x60, 0, 4, 0, 0, 0,
	1, 0, 0x18, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0,
	7, 0, 0, 0,
	0, 2, 0x14, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 19, 0, 0, 0,
	9, 0, 0x1c, 0, 3, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0,
	7, 0, 0, 0, 'a', 'r', 't', 'x',
	0x77, 0, 0x10, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0,
	1, 2, 0, 0, 0, 0, 0, 5, 80, 0, 0, 0, 7, 0, 0, 0,
};

static void
test_every_place(void **state)
{
	static const struct hv_sid_map map = { "S-1-5-18", "S-1-5-80-7" };
	struct err e = ERR_INIT;
	HV_SCOPED struct hv_hive *h = hv_new(5, &e);
	size_t keys, len;

	(void)state;
	if (hv_set_sd(hv_root(h), before, sizeof(before), &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(hv_map_sids(hv_root(h), &map, 1, &keys, &e), 0);
	assert_int_equal(keys, 1);
	const uint8_t *sd = hv_sd(hv_root(h), &len);
	assert_int_equal(len, sizeof(after));
	assert_memory_equal(sd, after, sizeof(after));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_place) };
	struct err e = ERR_INIT;

	if (argc != 5)
		return cmocka_run_group_tests_name("hive sids", tests, NULL, NULL);
	if (translate(argv, &e) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", e.msg);
	return err_exit_status(&e);
}
