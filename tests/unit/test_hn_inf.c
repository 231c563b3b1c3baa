/* test_hn_inf.c - INF files as vendors write them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "hal-neutral/inf.h"

static const char text[] =
	"; a comment\r\n"
	"[VERSION]\r\n"
	"Class = \"a ; no comment\" ; one\r\n"
	"[a]\r\n"
	"%Name% = x , \"y, \"\"z\"\"\",, %%12%%\\f , 0x10\r\n"
	"long = one, \\\r\n"
	"   two\r\n"
	"plain\r\n"
	"[Strings]\r\n"
	"name = \"The Name\"\r\n"
	"[A]\r\n"
	"again = %nobody%\r\n";

static void
field_is(const struct hn_inf *inf, const struct hn_inf_line *l, size_t n,
	 const char *want)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *got = hn_inf_field(inf, l, n, &e);

	assert_non_null(got);
	assert_string_equal(got, want);
}

static void
reads(void **state)
{
	struct err e = ERR_INIT;
	HN_INF_SCOPED struct hn_inf inf = HN_INF_EMPTY;
	const struct hn_inf_section *s;
	uint32_t v;

	(void)state;
	assert_int_equal(hn_inf_parse("inf", text, sizeof(text) - 1, &inf, &e),
			 0);
	field_is(&inf, hn_inf_line(hn_inf_section(&inf, "Version"), "CLASS"), 0,
		 "a ; no comment");
	s = hn_inf_section(&inf, "A");
	assert_int_equal(s->lines, 4);		/* twice the same section */
	assert_string_equal(s->line[0].key, "%Name%");
	assert_int_equal(s->line[0].fields, 5);
	field_is(&inf, &s->line[0], 0, "x");
	field_is(&inf, &s->line[0], 1, "y, \"z\"");
	field_is(&inf, &s->line[0], 2, "");
	field_is(&inf, &s->line[0], 3, "%12%\\f");
	field_is(&inf, &s->line[0], 9, "");
	assert_int_equal(hn_inf_number(&inf, &s->line[0], 4, 7, &v, &e), 0);
	assert_int_equal(v, 16);
	assert_int_equal(hn_inf_number(&inf, &s->line[0], 0, 7, &v, &e), 0);
	assert_int_equal(v, 7);
	assert_int_equal(s->line[1].fields, 2);
	field_is(&inf, &s->line[1], 1, "two");
	assert_null(s->line[2].key);
	field_is(&inf, &s->line[3], 0, "%nobody%");
	SCOPED_FREE char *name = hn_inf_text(&inf, s->line[0].key, &e);

	assert_string_equal(name, "The Name");
}

static void
refuses(void **state)
{
	struct err e = ERR_INIT;
	HN_INF_SCOPED struct hn_inf inf = HN_INF_EMPTY;
	char many[300] = "[Version]\na=";

	(void)state;
	assert_int_equal(hn_inf_parse("inf", "[a]\nb=c\n", 8, &inf, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_null(inf.at);
	e = (struct err)ERR_INIT;
	memset(many + strlen(many), ',', 100);
	assert_int_equal(hn_inf_parse("inf", many, strlen(many), &inf, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
memory_runs_out(void **state)
{
	(void)state;
	for (unsigned n = 1;; n++) {
		struct err e = ERR_INIT;
		HN_INF_SCOPED struct hn_inf inf = HN_INF_EMPTY;
		int r;

		mem_fail_from(n);
		r = hn_inf_parse("inf", text, sizeof(text) - 1, &inf, &e);
		mem_fail_from(0);
		if (r == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("hn_inf", tests, NULL, NULL);
}
