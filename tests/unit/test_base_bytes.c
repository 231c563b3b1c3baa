/* test_base_bytes.c - base/cur.h, base/buf.h, base/num.h, base/mem.h, base/err.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

static void
test_cursor_reads_what_a_buffer_wrote(void **state)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct err e = ERR_INIT;
	char tail[4] = "";

	(void)state;
	buf_u8(&b, 0x12);
	buf_u16le(&b, 0x3456);
	buf_u32le(&b, 0x789abcde);
	buf_u64le(&b, 0x0102030405060708);
	buf_zeros(&b, 3);
	buf_fmt(&b, "%s", "end");
	assert_int_equal(buf_ok(&b, &e), 0);
	assert_int_equal(b.len, 21);
	assert_int_equal(b.at[1], 0x56);	/* little-endian */

	struct cur c = cur_over("it", b.at, b.len);
	assert_int_equal(cur_u8(&c), 0x12);
	assert_int_equal(cur_u16le(&c), 0x3456);
	assert_int_equal(cur_u32le(&c), 0x789abcde);
	assert_int_equal(cur_u64le(&c), 0x0102030405060708);
	cur_zeros(&c, 3);
	cur_bytes(&c, tail, 3);
	assert_string_equal(tail, "end");
	assert_int_equal(cur_end(&c, &e), 0);
}

static void
test_cursor_stays_bad(void **state)
{
	static const uint8_t four[4] = { 1, 2, 3, 4 };
	struct cur c = cur_over("thing", four, 4);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cur_u16le(&c), 0x0201);
	struct cur sub = cur_sub(&c, 3);
	assert_false(cur_ok(&sub));
	assert_int_equal(cur_u8(&c), 0);	/* nothing moves any more */
	assert_int_equal(cur_end(&c, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_string_equal(e.msg, "thing ends too early (near byte 2)");
}

static void
test_trailing_and_reserved(void **state)
{
	static const uint8_t two[2] = { 0, 9 };
	struct err e = ERR_INIT, f = ERR_INIT;
	struct cur c = cur_over("thing", two, 2);

	(void)state;
	assert_int_equal(cur_u8(&c), 0);
	assert_int_equal(cur_end(&c, &e), -1);
	assert_non_null(strstr(e.msg, "trailing"));
	c = cur_over("thing", two, 2);
	cur_zeros(&c, 2);
	assert_int_equal(cur_end(&c, &f), -1);
	assert_non_null(strstr(f.msg, "reserved"));
}

static void
test_ranges_never_wrap(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_true(num_in_range(0, 10, 10));
	assert_true(num_in_range(10, 0, 10));
	assert_false(num_in_range(1, 10, 10));
	assert_false(num_in_range(11, 0, 10));
	assert_false(num_in_range(1, UINT64_MAX, 10));
	assert_false(num_add_u64(UINT64_MAX, 1, &v));
	assert_false(num_align_up(UINT64_MAX - 5, 512, &v));
	assert_int_equal(v, 7);			/* untouched */
	assert_true(num_align_up(513, 512, &v));
	assert_int_equal(v, 1024);
	assert_int_equal(num_align_down(1023, 512), 512);
}

static void
test_numbers_are_strict(void **state)
{
	static const char *const no[] = { "", "-1", "+1", " 1", "1 ", "0x", "1k",
					  "1KB", "18446744073709551616", "ff",
					  "20000000000000000K" };
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(num_parse(no[i], 0, UINT64_MAX, true, &v));
	assert_false(num_parse("2K", 0, 10000, false, &v));
	assert_false(num_parse("11", 0, 10, false, &v));
	assert_int_equal(v, 7);
	assert_true(num_parse("2K", 0, 10000, true, &v));
	assert_int_equal(v, 2048);
	assert_true(num_parse("0xFf", 0, 255, false, &v));
	assert_int_equal(v, 255);
}

static void
test_refused_memory(void **state)
{
	struct err e = ERR_INIT, f = ERR_INIT;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	SCOPED_FREE uint32_t *list = NULL;
	size_t cap = 0;

	(void)state;
	assert_int_equal(mem_grow(&list, &cap, 3, sizeof(*list), &e), 0);
	assert_true(cap >= 3 && list[2] == 0);
	list[0] = 42;
	mem_fail_from(1);
	size_t was = cap;
	assert_int_equal(mem_grow(&list, &cap, cap + 1, sizeof(*list), &e), -1);
	buf_str(&b, "lost");
	mem_fail_from(0);
	assert_int_equal(e.kind, ERR_NOMEM);
	assert_int_equal(cap, was);
	assert_int_equal(list[0], 42);
	buf_str(&b, "and stays lost");
	assert_int_equal(buf_ok(&b, &f), -1);
	assert_int_equal(mem_grow(&list, &cap, SIZE_MAX / 2, 8, &f), -1);
	assert_null(mem_array(SIZE_MAX, 16, &f));
}

static void
test_first_error_wins(void **state)
{
	struct err e = ERR_INIT;
	char shown[32];

	(void)state;
	assert_int_equal(err_set(&e, ERR_AUTH, "first"), -1);
	errno = ENOSPC;
	assert_int_equal(err_sys(&e, "second"), -1);
	assert_int_equal(err_ctx(&e, "file %d", 3), -1);
	assert_string_equal(e.msg, "file 3: first");
	assert_int_equal(err_exit_status(&e), 5);
	assert_string_equal(err_quote(shown, sizeof(shown), "a\033[2J\\", 6),
			    "a\\x1b[2J\\");
	assert_string_equal(err_quote(shown, sizeof(shown), "C:\\x\\y", 6),
			    "C:\\x5cx\\y");
	assert_string_equal(err_quote(shown, 8, "\1\1\1\1", 4), "\\x01");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_reads_what_a_buffer_wrote),
		cmocka_unit_test(test_cursor_stays_bad),
		cmocka_unit_test(test_trailing_and_reserved),
		cmocka_unit_test(test_ranges_never_wrap),
		cmocka_unit_test(test_numbers_are_strict),
		cmocka_unit_test(test_refused_memory),
		cmocka_unit_test(test_first_error_wins),
	};

	return cmocka_run_group_tests_name("base bytes", tests, NULL, NULL);
}
