/* test_base_text.c - base/utf.h, base/yaml.h, base/json.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf.h"
#include "base/yaml.h"

static void
test_utf16_round_trip(void **state)
{
	/* A, ue, a pair (U+1F600), a lone high and a lone low surrogate, NUL */
	static const uint8_t units[] = { 'A', 0, 0xfc, 0, 0x3d, 0xd8, 0, 0xde,
					 0x3d, 0xd8, 'b', 0, 0, 0xdc, 0, 0 };
	static const char text[] = "A\303\274\360\237\230\200\355\240\275b"
				   "\355\260\200\300\200";
	struct err e = ERR_INIT;
	SCOPED_FREE char *s = utf_from16(units, sizeof(units), &e);
	SCOPED_FREE uint8_t *back = NULL;
	size_t n = 0;

	(void)state;
	assert_string_equal(s, text);
	assert_int_equal(utf_to16(s, &back, &n, &e), 0);
	assert_int_equal(n, sizeof(units));
	assert_memory_equal(back, units, n);
	assert_false(utf_valid8(text, sizeof(text) - 1));
	assert_true(utf_valid8("A\303\274", 3));
}

static void
test_bad_utf8(void **state)
{
	static const char *const bad[] = { "\200", "\303", "\300\201",
					   "\340\200\200", "\364\220\200\200",
					   "\377", "a\360\237\230" };
	uint8_t *units = NULL;
	size_t n = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(utf_to16(bad[i], &units, &n, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_null(units);
		assert_int_equal(n, 42);
	}
}

static void
test_upper_case_is_windows(void **state)
{
	(void)state;
	assert_int_equal(utf_upcase('a'), 'A');
	assert_int_equal(utf_upcase(0xfc), 0xdc);
	assert_int_equal(utf_upcase(0xff), 0x178);
	assert_int_equal(utf_upcase(0xdf), 0xdf);	/* sharp s */
	assert_int_equal(utf_upcase(0xb5), 0xb5);	/* micro sign */
	assert_int_equal(utf_upcase(0xf7), 0xf7);	/* division sign */
	assert_int_equal(utf_upcase(0x131), 0x131);	/* dotless i */
	assert_int_equal(utf_upcase(0x17f), 0x17f);	/* long s */
	assert_int_equal(utf_upcase(0x101), 0x100);
	assert_int_equal(utf_upcase(0x100), 0x100);
	assert_int_equal(utf_upcase(0x44f), 0x42f);	/* Cyrillic ya */
	assert_true(utf_same8("\303\234bung", "\303\274BUNG"));
	assert_false(utf_same8("abc", "ab"));
	assert_true(utf_cmp16("a\0b", 4, "A\0C", 4) < 0);
	assert_true(utf_cmp16("a\0", 2, "A\0b", 4) < 0);
}

static const char guest[] =
	"name: office\n"
	"memory: 2K\n"
	"kvm: true\n"
	"os: win7\n"
	"disks:\n"
	"  - system\n"
	"  - \"us er\"\n";

static const char *const systems[] = { "xp", "win7", NULL };

static void
test_yaml_values(void **state)
{
	struct err e = ERR_INIT;
	YML_SCOPED struct yml *doc =
		yml_parse("g.yaml", guest, sizeof(guest) - 1, &e);

	(void)state;
	assert_non_null(doc);
	assert_string_equal(yml_str(doc, "name", YML_NEEDED, &e), "office");
	assert_int_equal(yml_u64(doc, "memory", 1, 4096, 1, &e), 2048);
	assert_true(yml_bool(doc, "kvm", false, &e));
	assert_true(yml_bool(doc, "tpm", true, &e));
	assert_int_equal(yml_word(doc, "os", systems, 0, &e), 1);
	assert_int_equal(yml_end(doc, &e), -1);		/* disks is not taken */
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.msg, "g.yaml:5: unknown key disks");

	struct err f = ERR_INIT;
	const struct yml *disks = yml_list(doc, "disks", &f);
	assert_int_equal(disks->count, 2);
	assert_string_equal(disks->at[1].text, "us er");
	assert_int_equal(disks->at[1].line, 7);
	assert_int_equal(yml_end(doc, &f), 0);
}

static void
test_yaml_refuses(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "x:" },
		{ "a: 1\na: 2\n", "x:2: a is given twice" },
		{ "a: &b 1\n", "x:1: anchors" },
		{ "a: *b\n", "x:1" },
		{ "a: !t 1\n", "x:1: anchors" },
		{ "a: 1\n---\nb: 2\n", "two documents" },
		{ "a: [1\n", "x:" },
		{ "? [1]\n: 2\n", "x:1: a key must be a word" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "deeper than 32" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		assert_null(yml_parse("x", bad[i].text, strlen(bad[i].text), &e));
		assert_int_equal(e.kind, ERR_USAGE);
		assert_non_null(strstr(e.msg, bad[i].says));
	}
}

static void
test_yaml_wrong_values(void **state)
{
	static const char text[] = "n: 5000\nw: nope\nl: 1\nm: [1]\n";
	struct err e[4] = { ERR_INIT, ERR_INIT, ERR_INIT, ERR_INIT };
	YML_SCOPED struct yml *doc = yml_parse("x", text, sizeof(text) - 1, e);

	(void)state;
	assert_int_equal(yml_u64(doc, "n", 0, 4096, 9, &e[0]), 9);
	assert_non_null(strstr(e[0].msg, "x:1: n must be a number from 0 to 4096"));
	(void)yml_word(doc, "w", systems, 0, &e[1]);
	assert_string_equal(e[1].msg, "x:2: w must be one of xp, win7");
	assert_null(yml_list(doc, "l", &e[2]));
	assert_string_equal(e[2].msg, "x:3: l must be a list");
	(void)yml_str(doc, "gone", YML_NEEDED, &e[3]);
	assert_string_equal(e[3].msg, "x:1: gone is missing");
}

static void
test_yaml_scalars_come_back(void **state)
{
	static const char *const texts[] = {
		"plain", "", "with space", "true", "a: b", "- x", "-x", "#", "q\"uote",
		"back\\slash \\", "tab\tnl\n", "\001\177", "\303\274", "\302\205",
		"\357\273\277bom", "\360\237\230\200", "0x10", "~", "HKLM\\Soft",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err e = ERR_INIT;
		BUF_SCOPED struct buf b = BUF_EMPTY;

		buf_str(&b, "k: ");
		yml_put_scalar(&b, texts[i]);
		buf_str(&b, "\n");
		YML_SCOPED struct yml *doc = yml_parse("x", b.at, b.len, &e);
		assert_non_null(doc);
		assert_string_equal(yml_str(doc, "k", YML_NEEDED, &e), texts[i]);
	}
}

static void
test_yaml_survives_refused_memory(void **state)
{
	bool done = false;

	(void)state;
	for (unsigned n = 1; !done; n++) {
		struct err e = ERR_INIT;

		mem_fail_from(n);
		YML_SCOPED struct yml *doc =
			yml_parse("x", guest, sizeof(guest) - 1, &e);
		mem_fail_from(0);
		done = doc != NULL;
		assert_true(done || e.kind == ERR_NOMEM);
	}
}

static void
test_json_document(void **state)
{
	struct err e = ERR_INIT;
	JS_SCOPED struct js *j = js_new("test", 2, &e);
	struct js *list = js_list(j, "items");

	(void)state;
	js_str(js_item(list), "name", "caf\303\251");
	js_str(js_item(list), "name", "bad\377");
	js_hex(j, "hash", "\1\253", 2);
	js_u64(j, "size", 12);
	SCOPED_FREE char *text = js_text(j, &e);
	assert_non_null(strstr(text, "\"format\": \"test\""));
	assert_non_null(strstr(text, "\"bad\\\\xff\""));
	assert_non_null(strstr(text, "\"hash\": \"01ab\""));

	JS_SCOPED struct js *back = js_parse(text, strlen(text), &e);
	uint64_t size = 0, no = 7;
	assert_true(js_get_u64(back, "size", &size));
	assert_int_equal(size, 12);
	assert_false(js_get_u64(back, "hash", &no));
	assert_int_equal(js_count(js_get(back, "items")), 2);
	assert_string_equal(js_get_str(js_at(js_get(back, "items"), 0), "name"),
			    "caf\303\251");
	assert_null(js_parse("{", 1, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf16_round_trip),
		cmocka_unit_test(test_bad_utf8),
		cmocka_unit_test(test_upper_case_is_windows),
		cmocka_unit_test(test_yaml_values),
		cmocka_unit_test(test_yaml_refuses),
		cmocka_unit_test(test_yaml_wrong_values),
		cmocka_unit_test(test_yaml_scalars_come_back),
		cmocka_unit_test(test_yaml_survives_refused_memory),
		cmocka_unit_test(test_json_document),
	};

	return cmocka_run_group_tests_name("base text", tests, NULL, NULL);
}
