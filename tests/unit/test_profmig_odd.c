/* test_profmig_odd.c - names and paths that are not as Windows has them
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ODD_IMAGE's ODD_HOME ("Documents and Settings/bob/My Documents") gets a path
 * of 30,000 characters, for 87-profmig-odd.t to migrate.  Without the variables
 * nothing is done to a disk.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "disk/disk.h"
#include "profmig/move.h"
#include "windows/windows.h"

enum { LONG = 30000, NAME = 250 };

/* Names that other systems wrote there become ones that Windows takes. */
static void
clean_names(void **state)
{
	static const char *const cases[][2] = {
		{ "what?.txt", "what_.txt" }, { "a:b", "a_b" },
		{ "CON", "_CON" }, { "lpt1.txt", "_lpt1.txt" },
		{ "console", "console" }, { "com10", "com10" },
		{ "<|>*\"", "_____" }, { "dot.", "dot_" },
		{ "both. .", "both___" }, { "\x01", "_" },
		{ "a.b c", "a.b c" }, { "nul", "_nul" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *got = pm_clean_name(cases[i][0], &e);

		assert_non_null(got);
		assert_string_equal(got, cases[i][1]);
	}
}

static void
odd(void **state)
{
	const char *image = getenv("ODD_IMAGE"), *home = getenv("ODD_HOME");
	BUF_SCOPED struct buf path = BUF_EMPTY;
	DK_SCOPED struct dk *d = NULL;
	WN_SCOPED struct wn_guest *g = NULL;
	struct err e = ERR_INIT;
	struct vo *vo;

	(void)state;
	if (image == NULL || home == NULL)
		return;
	d = dk_open(image, NULL, ".", DK_WRITE, &e);
	assert_non_null(d);
	g = wn_open(d, VO_WRITE, &e);
	assert_non_null(g);
	vo = wn_vo(&g->install[0]);
	buf_str(&path, home);
	while (path.len < LONG) {
		buf_u8(&path, '/');
		for (int i = 0; i < NAME; i++)
			buf_u8(&path, (uint8_t)('a' + i % 26));
	}
	assert_int_equal(buf_ok(&path, &e), 0);
	assert_int_equal(vo_mkdirs(vo, (char *)path.at, &e), 0);
	buf_str(&path, "/deep.txt");
	assert_int_equal(vo_put(vo, (char *)path.at, "deep", 4, &e), 0);
	assert_int_equal(wn_close(&g, &e), 0);
	assert_int_equal(dk_commit(d, "odd names", &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_names),
		cmocka_unit_test(odd),
	};

	return cmocka_run_group_tests_name("profmig_odd", tests, NULL, NULL);
}
