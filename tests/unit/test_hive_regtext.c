/* test_hive_regtext.c - hive/regtext.h: .reg text, read and refused
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "hive/regtext.h"

/* Statements as lines: "K path", "V path name type hex". */
static int
as_line(void *ctx, const struct hv_reg *r, struct err *e)
{
	struct buf *out = ctx;
	static const char what[] = { 'K', '-', 'V', 'x' };

	(void)e;
	buf_fmt(out, "%c%s", what[r->what], r->path);
	if (r->what == HV_REG_VALUE || r->what == HV_REG_DELETE_VALUE)
		buf_fmt(out, "!%s", r->name);
	if (r->what == HV_REG_VALUE) {
		buf_fmt(out, "=%x:", r->data.type);
		for (size_t i = 0; i < r->data.len; i++)
			buf_fmt(out, "%02x", r->data.at[i]);
	}
	buf_u8(out, ' ');
	return 0;
}

#define HEAD "Windows Registry Editor Version 5.00\r\n\r\n"

static const struct {
	const char *name, *text, *want;
} good[] = {
	{ "nothing", "", "" },
	{ "only the first line", HEAD, "" },
	{ "no first line", "[a]\n", "Ka " },
	{ "key", HEAD "[HKEY_LOCAL_MACHINE\\a b]\r\n", "KHKEY_LOCAL_MACHINE\\a b " },
	{ "bracket in a name", "[a]b]", "Ka]b " },
	{ "delete", "[-a\\b]\n", "-a\\b " },
	{ "string", "[a]\n\"x\"=\"y\"\n", "Ka Va!x=1:79000000 " },
	{ "unnamed", "[a]\n@=\"\"\n", "Ka Va!=1:0000 " },
	{ "escapes", "[a]\n\"q\\\"\\\\\"=\"\\\\\\\"\"\n", "Ka Va!q\"\\=1:5c0022000000 " },
	{ "a lone backslash", "[a]\n@=\"C:\\W\"\n", "Ka Va!=1:43003a005c0057000000 " },
	{ "a line end in a string", "[a]\n@=\"1\n2\"\n", "Ka Va!=1:31000a0032000000 " },
	{ "dword", "[a]\n\"d\"=dword:1F\n", "Ka Va!d=4:1f000000 " },
	{ "hex", "[a]\n\"h\"=hex:0,1f,ff\n", "Ka Va!h=3:001fff " },
	{ "hex of a type", "[a]\n\"h\"=hex(ffff0012):aa\n", "Ka Va!h=ffff0012:aa " },
	{ "empty hex", "[a]\n\"h\"=hex(0):\n", "Ka Va!h=0: " },
	{ "continued", "[a]\n\"h\"=hex(7):61,00,\\\r\n  62,00\\\n\n", "Ka Va!h=7:61006200 " },
	{ "delete a value", "[a]\n\"h\"=-\n", "Ka xa!h " },
	{ "comments", "; c\n[a] ; d\n;e\n\"h\"=dword:1 ; f\n", "Ka Va!h=4:01000000 " },
	{ "str of hivexregedit", "[a]\n\"h\"=str(2):\"%A%\"\n", "Ka Va!h=2:25004100250000"
	  "00 " },
	{ "version 4", "REGEDIT4\n[a]\n\"h\"=hex(2):41,80,00\n\"b\"=hex:41\n",
	  "Ka Va!h=2:4100ac200000 Va!b=3:41 " },
	{ "Windows-1252", "REGEDIT4\n[a]\n@=\"\xfc\"\n", "Ka Va!=1:fc000000 " },
	{ "UTF-8 with its mark", "\xef\xbb\xbf[\xc3\xbc]\n", "K\xc3\xbc " },
};

static const struct {
	const char *name, *text, *says;
} bad[] = {
	{ "junk", "[a]\njunk\n", "line 2 is neither" },
	{ "no bracket", "[a\n", "line 1 has a key without" },
	{ "after a bracket", "[a] b\n", "line 1 goes on" },
	{ "value without a key", "\n\"a\"=\"b\"\n", "line 2 sets a value without" },
	{ "value of a deleted key", "[-a]\n\"a\"=\"b\"\n", "line 2 sets a value" },
	{ "quote", "[a]\n\"a\"=\"b\n\n", "line 2 has a quote" },
	{ "equals sign", "[a]\n\"a\" \"b\"\n", "equals sign" },
	{ "no data", "[a]\n\"a\"=\n", "unknown form" },
	{ "long dword", "[a]\n\"a\"=dword:123456789\n", "too long" },
	{ "no dword", "[a]\n\"a\"=dword:x\n", "hexadecimal" },
	{ "long byte", "[a]\n\"a\"=hex:123\n", "too long" },
	{ "no byte", "[a]\n\"a\"=hex:1,zz\n", "hexadecimal" },
	{ "no comma", "[a]\n\"a\"=hex:11 22\n", "something else" },
	{ "no type", "[a]\n\"a\"=hex():11\n", "hexadecimal" },
	{ "no colon", "[a]\n\"a\"=hex(1)11\n", "colon" },
	{ "after a string", "[a]\n\"a\"=\"b\" c\n", "goes on" },
	{ "another version", "Windows Registry Editor Version 6.00\n", "line 1" },
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		BUF_SCOPED struct buf out = BUF_EMPTY;
		struct err e = ERR_INIT;

		buf_str(&out, "");
		if (hv_reg_read("t", good[i].text, strlen(good[i].text), as_line,
				&out, &e) < 0)
			fail_msg("%s: %s", good[i].name, e.msg);
		buf_u8(&out, 0);
		if (strcmp((const char *)out.at, good[i].want) != 0)
			fail_msg("%s: %s", good[i].name, (const char *)out.at);
	}
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		BUF_SCOPED struct buf out = BUF_EMPTY;
		struct err e = ERR_INIT;

		assert_int_equal(hv_reg_read("t", bad[i].text,
					     strlen(bad[i].text), as_line, &out,
					     &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (strstr(e.msg, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].name, e.msg);
	}
	struct err e = ERR_INIT;
	assert_int_equal(hv_reg_read("t", "[a\0]", 4, as_line, NULL, &e), -1);
	e = (struct err)ERR_INIT;
	assert_int_equal(hv_reg_read("t", "\xff\xfe[", 3, as_line, NULL, &e), -1);
}

static void
test_below(void **state)
{
	(void)state;
	assert_string_equal(hv_reg_below("HKLM\\Software\\x",
					 "hkey_local_machine\\SOFTWARE"), "x");
	assert_string_equal(hv_reg_below("\\a", ""), "a");
	assert_string_equal(hv_reg_below("\\\xc3\xbc\\b", "\xc3\x9c"), "b");
	assert_string_equal(hv_reg_below("a", "A"), "");
	assert_null(hv_reg_below("ab\\c", "a"));
	assert_null(hv_reg_below("a", "a\\b"));
}

/* What the quoted form cannot say in full is written as bytes. */
static void
test_write(void **state)
{
	static const struct {
		uint32_t type;
		const char *bytes;
		size_t len;
		const char *line;
	} v[] = {
		{ HV_SZ, "a\0\0", 4, "=\"a\"\n" },
		{ HV_SZ, "a", 2, "=hex(1):61,00\n" },
		{ HV_SZ, "a\0\0\0\0", 6, "=hex(1):61,00,00,00,00,00\n" },
		{ HV_SZ, "", 0, "=hex(1):\n" },
		{ HV_SZ, "\n\0\0", 4, "=hex(1):0a,00,00,00\n" },
		{ HV_SZ, "a\0b", 3, "=hex(1):61,00,62\n" },
		{ HV_DWORD, "\1\0\0", 4, "=dword:00000001\n" },
		{ HV_DWORD, "\1\0\0", 3, "=hex(4):01,00,00\n" },
		{ HV_NONE, "", 0, "=hex(0):\n" },
		{ HV_BINARY, "a", 1, "=hex:61\n" },
		{ HV_QWORD, "12345678", 8, "=hex(b):31,32,33,34,35,36,37,38\n" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		HV_SCOPED struct hv_hive *h = hv_new(5, &e);
		BUF_SCOPED struct buf out = BUF_EMPTY;

		assert_int_equal(hv_set(hv_root(h), "n", v[i].type, v[i].bytes,
					v[i].len, &e), 0);
		assert_int_equal(hv_reg_write(hv_root(h), "", HV_REG_UTF8, &out,
					      &e), 0);
		buf_u8(&out, 0);
		if (strstr((const char *)out.at, v[i].line) == NULL)
			fail_msg("%s", (const char *)out.at);
	}
	HV_SCOPED struct hv_hive *h = hv_new(5, &e);
	BUF_SCOPED struct buf out = BUF_EMPTY;
	assert_non_null(hv_create(hv_root(h), "a\nb", &e));
	assert_int_equal(hv_reg_write(hv_root(h), "", HV_REG_UTF8, &out, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests_name("hive regtext", tests, NULL, NULL);
}
