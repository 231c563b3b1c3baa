/* test_profmig_rules.c - rules are read strictly, and those that ship are good
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "profmig/rules.h"

#define HEAD "rule: r\nabout: a\n"

static void
patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} cases[] = {
		{ "*.doc", "a.DOC", true }, { "*.doc", "a.docx", false },
		{ "*.doc*", "a.docx", true }, { "a?c", "abc", true },
		{ "a?c", "ac", false }, { "*", "", true }, { "", "", true },
		{ "", "a", false }, { "*a*b*", "xxaxxbxx", true },
		{ "*a*b*", "xxbxxaxx", false }, { "**", "x", true },
		{ "*/cache/*", "a/b/Cache/c/d", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pm_pattern(cases[i].pattern, cases[i].name),
				 cases[i].match);
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "rule: r\n", "about" },
		{ HEAD "bogus: 1\n", "t.yaml:3:" },
		{ HEAD "registry:\n  - key: A\n    do: fly\n", "t.yaml:5:" },
		{ HEAD "registry:\n  - key: A\n    do: drop\n", "why" },
		{ HEAD "registry:\n  - do: copy\n", "key" },
		{ HEAD "registry:\n  - key: A\n", "do is missing" },
		{ HEAD "registry:\n  - key: A\\\n    do: copy\n", "no path" },
		{ HEAD "registry:\n  - key: A/B\n    do: copy\n", "no path" },
		{ HEAD "registry:\n  - key: A\n    do: copy\n    x: y\n",
		  "t.yaml:6:" },
		{ HEAD "registry:\n  - key: A\n    do: copy\n"
		  "    to-value: b\n", "exactly one" },
		{ HEAD "files:\n  - folder: nowhere\n", "no such folder" },
		{ HEAD "files:\n  - folder: desktop\n    drop: true\n", "why" },
		{ HEAD "from: [95]\n", "no such Windows" },
		{ HEAD "registry: no\n", "registry" },
		{ "- a\n", "map" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PM_RULES_SCOPED struct pm_rules r = PM_RULES_EMPTY;
		struct err e = ERR_INIT;

		assert_int_equal(pm_rules_add(&r, "t.yaml", cases[i].text,
					      strlen(cases[i].text), &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_non_null(strstr(e.msg, cases[i].says));
		assert_int_equal(r.count, 0);
	}
}

static void
read_whole(void **state)
{
	static const char text[] =
		"rule: r\nabout: a\nusmt: u\nfrom: [xp, 7]\n"
		"registry:\n"
		"  - key: A\\B\n    to-key: C\n    values: [x]\n"
		"    to-value: y\n    do: rewrite\n    below: true\n"
		"files:\n"
		"  - folder: roaming\n    path: P\n    to: local\n"
		"    only: ['*.x']\n    content: links\n    conflict: newer\n";
	PM_RULES_SCOPED struct pm_rules r = PM_RULES_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(pm_rules_add(&r, "t", text, strlen(text), &e), 0);
	/* One of the same name takes its place. */
	assert_int_equal(pm_rules_add(&r, "u", text, strlen(text), &e), 0);
	assert_int_equal(r.count, 1);
	const struct pm_rule *one = &r.at[0];
	assert_string_equal(one->file, "u");
	assert_int_equal(one->from, 1u << WN_XP | 1u << WN_7);
	assert_int_equal(one->to, ~0u);
	assert_string_equal(one->registry[0].to_key, "C");
	assert_string_equal(one->registry[0].to_value, "y");
	assert_int_equal(one->registry[0].how, PM_REWRITE);
	assert_true(one->registry[0].below);
	assert_int_equal(one->file_set[0].place, WN_ROAMING);
	assert_int_equal(one->file_set[0].to_place, WN_LOCAL);
	assert_string_equal(one->file_set[0].to_path, "P");
	assert_int_equal(one->file_set[0].content, PM_LINKS);
	assert_int_equal(one->file_set[0].conflict, PM_TAKE_NEWER);
}

static void
memory(void **state)
{
	static const char text[] = HEAD
		"registry:\n  - key: A\n    values: [x, y]\n    do: copy\n"
		"files:\n  - folder: desktop\n    only: [a]\n";

	(void)state;
	for (unsigned i = 1; i < 500; i++) {
		PM_RULES_SCOPED struct pm_rules r = PM_RULES_EMPTY;
		struct err e = ERR_INIT;

		mem_fail_from(i);
		int got = pm_rules_add(&r, "t", text, strlen(text), &e);
		mem_fail_from(0);
		if (got == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
	fail_msg("still allocating");
}

static void
shipped(void **state)
{
	PM_RULES_SCOPED struct pm_rules r = PM_RULES_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	if (pm_rules_load(&r, NULL, 0, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(r.count >= 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(refused),
		cmocka_unit_test(read_whole),
		cmocka_unit_test(memory),
		cmocka_unit_test(shipped),
	};

	return cmocka_run_group_tests_name("profmig_rules", tests, NULL, NULL);
}
