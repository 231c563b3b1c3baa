/* test_profmig_rewrite.c - old paths inside text become new ones
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "profmig/rewrite.h"

#define OLD "C:\\Documents and Settings\\alice"
#define NEW "C:\\Users\\alice"

static void
make(struct pm_rewrite *rw)
{
	static const char *const pairs[][2] = {
		{ OLD, NEW },
		{ OLD "\\My Documents", NEW "\\Documents" },
		{ OLD "\\My Documents\\My Pictures", NEW "\\Pictures" },
		{ OLD "\\Local Settings\\Temp", NEW "\\AppData\\Local\\Temp" },
		{ OLD "\\Application Data", NEW "\\AppData\\Roaming" },
		{ OLD "\\Eigene Bücher", NEW "\\Bücher neu" },
		{ "%USERPROFILE%", "%USERPROFILE%" },
		{ "%USERPROFILE%\\My Documents", "%USERPROFILE%\\Documents" },
		{ "C:\\WINDOWS", "C:\\Windows" },
		{ OLD, "C:\\never" },
	};
	struct err e = ERR_INIT;

	assert_int_equal(pm_rewrite_alias(rw, "C:\\Documents and Settings",
					  "DOCUME~1", &e), 0);
	assert_int_equal(pm_rewrite_alias(rw, OLD "\\Local Settings",
					  "LOCALS~1", &e), 0);
	assert_int_equal(pm_rewrite_alias(rw, OLD "\\My Documents",
					  "MYDOCU~1", &e), 0);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(pm_rewrite_add(rw, pairs[i][0], pairs[i][1],
						&e), 0);
	pm_rewrite_sort(rw);
}

static void
texts(void **state)
{
	static const struct {
		const char *in, *out;
		size_t hits;
	} cases[] = {
		{ OLD, NEW, 1 },
		{ OLD "\\x.txt", NEW "\\x.txt", 1 },
		{ "c:\\documents and settings\\ALICE\\x", NEW "\\x", 1 },
		{ OLD "\\My Documents\\My Pictures\\a.jpg",
		  NEW "\\Pictures\\a.jpg", 1 },
		{ OLD "\\My Documents\\My Picturesque", NEW
		  "\\Documents\\My Picturesque", 1 },
		{ OLD "2\\x", OLD "2\\x", 0 },
		{ "C:/Documents and Settings/alice/My Documents/x",
		  "C:/Users/alice/Documents/x", 1 },
		{ "C:\\DOCUME~1\\alice\\LOCALS~1\\Temp\\t",
		  NEW "\\AppData\\Local\\Temp\\t", 1 },
		{ "C:\\DOCUME~1\\alice\\Local Settings\\Temp",
		  NEW "\\AppData\\Local\\Temp", 1 },
		{ "\\\\?\\" OLD "\\a", "\\\\?\\" NEW "\\a", 1 },
		{ "\\??\\" OLD "\\a", "\\??\\" NEW "\\a", 1 },
		{ "file:///C:/Documents%20and%20Settings/alice/My%20Documents/"
		  "a%20b", "file:///C:/Users/alice/Documents/a%20b", 1 },
		{ "file:///C:/Documents%20and%20Settings/alice/"
		  "Eigene%20B%C3%BCcher/x",
		  "file:///C:/Users/alice/B%C3%BCcher%20neu/x", 1 },
		{ "\"" OLD "\\x.exe\" /f:" OLD "\\y;" OLD,
		  "\"" NEW "\\x.exe\" /f:" NEW "\\y;" NEW, 3 },
		{ "%userprofile%\\My Documents\\x",
		  "%USERPROFILE%\\Documents\\x", 1 },
		{ "C:\\WINDOWS\\x", "C:\\Windows\\x", 1 },
		{ "C:\\Windows\\x", "C:\\Windows\\x", 0 },
		{ "http://host/C:/x", "http://host/C:/x", 0 },
		{ "D:\\Documents and Settings\\alice", "D:\\Documents and "
		  "Settings\\alice", 0 },
		{ "\\\\srv\\home\\alice", "\\\\srv\\home\\alice", 0 },
		{ "user_pref(\"d\", \"C:\\\\Documents and Settings\\\\alice"
		  "\\\\My Documents\\\\x\");", "user_pref(\"d\", \"C:\\\\Users"
		  "\\\\alice\\\\Documents\\\\x\");", 1 },
		{ "", "", 0 }, { "100%", "100%", 0 }, { "%", "%", 0 },
		{ "C:", "C:", 0 }, { "C:\\", "C:\\", 0 },
	};
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;

	(void)state;
	make(&rw);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_SCOPED struct buf out = BUF_EMPTY;
		struct err e = ERR_INIT;
		size_t hits;

		assert_int_equal(pm_rewrite_text(&rw, cases[i].in, &out, &hits,
						 &e), 0);
		assert_string_equal(out.at == NULL ? "" : (char *)out.at,
				    cases[i].out);
		assert_int_equal(hits, cases[i].hits);
	}
}

/* What was rewritten once is not rewritten again. */
static void
idempotent(void **state)
{
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	SCOPED_FREE char *once = NULL, *twice = NULL;
	struct err e = ERR_INIT;

	(void)state;
	make(&rw);
	assert_int_equal(pm_rewrite_path(&rw, OLD "\\My Documents\\a b\\c",
					 &once, &e), 1);
	assert_string_equal(once, NEW "\\Documents\\a b\\c");
	assert_int_equal(pm_rewrite_path(&rw, once, &twice, &e), 0);
	assert_null(twice);
}

static int
collect(void *arg, const char *path, struct err *e)
{
	struct buf *all = arg;

	(void)e;
	buf_fmt(all, "%s|", path);
	return 0;
}

/* Whoever asks hears of each new path as a plain one. */
static void
told(void **state)
{
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY, all = BUF_EMPTY;
	struct err e = ERR_INIT;
	size_t hits;

	(void)state;
	make(&rw);
	assert_int_equal(pm_rewrite_tell(&rw, "a=\"C:\\\\Documents and "
		"Settings\\\\alice\\\\My Documents\\\\x y.txt\"\nb=" OLD "\\z\n"
		"u=file:///C:/Documents%20and%20Settings/alice/q", &out, &hits,
		collect, &all, &e), 0);
	assert_int_equal(hits, 3);
	assert_string_equal(all.at, NEW "\\Documents\\x y.txt|" NEW "\\z|");
}

/* Paths in binary data, with what stands around them. */
static void
blobs(void **state)
{
	static const uint8_t in[] =
		"\1\0\xff" OLD "\\My Documents\\m.pst\0\7"
		"C\0:\0\\\0D\0o\0c\0u\0m\0e\0n\0t\0s\0 \0a\0n\0d\0 \0S\0e\0t"
		"\0t\0i\0n\0g\0s\0\\\0a\0l\0i\0c\0e\0\\\0x\0\0\0\5"
		"C:\\else\0" OLD;
	static const uint8_t want[] =
		"\1\0\xff" NEW "\\Documents\\m.pst\0\7"
		"C\0:\0\\\0U\0s\0e\0r\0s\0\\\0a\0l\0i\0c\0e\0\\\0x\0\0\0\5"
		"C:\\else\0" NEW;
	PM_REWRITE_SCOPED struct pm_rewrite rw = PM_REWRITE_EMPTY;
	struct err e = ERR_INIT;
	size_t hits;

	(void)state;
	make(&rw);
	for (size_t n = 0; n <= sizeof(in) - 1; n++) {
		BUF_SCOPED struct buf out = BUF_EMPTY;

		assert_int_equal(pm_rewrite_blob(&rw, in, n, &out, &hits, &e),
				 0);
		if (n < sizeof(in) - 1)
			continue;
		assert_int_equal(hits, 3);
		assert_int_equal(out.len, sizeof(want) - 1);
		assert_memory_equal(out.at, want, out.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(idempotent),
		cmocka_unit_test(told),
		cmocka_unit_test(blobs),
	};

	return cmocka_run_group_tests_name("profmig_rewrite", tests, NULL,
					   NULL);
}
