/* test_cs_plan.c - a plan survives the way to text and back
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "change/plan.h"

static const struct cs_reason why = { "storage/X7", "boots from IDE" };
static const struct cs_hive sys = { 0, "/WINDOWS/system32/config/system" };

static struct cs_plan *
empty(struct err *e)
{
	struct cs_plan *p = cs_plan_new("a test", e);

	if (p != NULL)
		assert_int_equal(cs_plan_volume(p, 0x1234), 0);
	return p;
}

/* One of everything. */
static void
fill(struct cs_plan *p)
{
	const char *list[] = { "PartMgr", "f\xc3\xbcnf, [6]: #7" };
	struct cs_source from = { .origin = CS_CABINET, .size = 5,
				  .path = "/WINDOWS/Driver Cache/i386/sp3.cab",
				  .member = "atapi.sys", .hash = { 1, 2 } };
	struct cs_meta m = { .has_attributes = true, .has_times = true,
			     .attributes = 6, .short_name = "PROGRA~1",
			     .times = { 128920207881234567, 0, 1,
					UINT64_MAX } };
	unsigned other = cs_plan_volume(p, UINT64_MAX);

	cs_want_dword(p, sys, "ControlSet001\\Services\\atapi", "Start", 0, why);
	cs_want_sz(p, sys, "Select", "", "yes", why);
	cs_want_expand_sz(p, sys, "Select", "e", "%SystemRoot%\\a: b", why);
	cs_want_multi_sz(p, sys, "Select", "m", list, 2, why);
	cs_want_multi_sz(p, sys, "Select", "m0", NULL, 0, why);
	cs_want_value(p, sys, "Select", "odd", 1, "abc", 3, why);
	cs_want_value(p, sys, "Select", "big", 11, "12345678", 8, why);
	cs_want_value(p, sys, "Select", "b", 3, "\0\xff", 2, why);
	cs_want_value(p, sys, "Select", "weird", 0x10003, NULL, 0, why);
	cs_want_value_from(p, sys, "Select", "from", 3, from, why);
	cs_want_no_value(p, sys, "Select", "lone \xed\xa0\x80", why);
	cs_want_key(p, sys, "", why);
	cs_want_no_key(p, sys, "Gone", why);
	cs_want_key_class(p, sys, "Select", "GenericClass", why);
	cs_want_key_security(p, sys, "Select", "O:BAG:SYD:", why);
	cs_want_directory(p, 0, "WINDOWS/new", why);
	cs_want_file(p, 0, "/WINDOWS/new/atapi.sys", from, why);
	cs_want_file_inline(p, 0, "/boot.ini", "[boot loader]\r\n\"x\"", 18,
			    why);
	cs_want_file_inline(p, other, "/marker", "a\0b", 3, why);
	cs_want_no_file(p, 0, "/old", why);
	cs_want_stream(p, 0, "/boot.ini", "zone", from, why);
	cs_want_link(p, 0, "/other.ini", "/boot.ini", why);
	cs_want_reparse(p, 0, "/junction", "\x03\0\0\xa0\0\0\0\0", 8, why);
	cs_want_security(p, 0, "/boot.ini", "O:BAG:SYD:", why);
	cs_want_meta(p, 0, "/boot.ini", &m, why);
	cs_want_bytes(p, 0, 0x1a, "\xff\0", 2, why);
}

static void
round_trip(void **state)
{
	struct err e = ERR_INIT;
	CS_PLAN_SCOPED struct cs_plan *p = empty(&e);
	size_t len, again_len;

	(void)state;
	assert_non_null(p);
	fill(p);
	p->at[0].settled = true;
	for (size_t i = 0; i < p->count; i++)
		if (p->at[i].kind == CS_KEY &&
		    p->at[i].want.have == CS_ABSENT) {
			p->at[i].settled = true;
			p->at[i].old.have = CS_HASHED;
			p->at[i].old.size = 7;
		}
	SCOPED_FREE char *text = cs_text(p, &len, &e);

	assert_string_equal(e.msg, "");
	assert_non_null(text);
	CS_PLAN_SCOPED struct cs_plan *q = cs_parse("plan", text, len, &e);

	assert_string_equal(e.msg, "");
	assert_non_null(q);
	SCOPED_FREE char *again = cs_text(q, &again_len, &e);

	assert_string_equal(again, text);
	assert_int_equal(q->count, 26);
	assert_non_null(strstr(text, "  want: [dword, 0x00000000]  # starts at boot\n"));
	assert_non_null(strstr(text, "created=2009-07-14T04:53:08.1234567Z"));
	/* Folders before files, files before keys, bytes last. */
	assert_int_equal(q->at[0].kind, CS_FILE);
	assert_string_equal(q->at[0].path, "/boot.ini");
}

static void
prefixes_are_refused(void **state)
{
	struct err e = ERR_INIT;
	CS_PLAN_SCOPED struct cs_plan *p = empty(&e);
	size_t len;

	(void)state;
	cs_want_dword(p, sys, "Select", "Default", 1, why);
	SCOPED_FREE char *text = cs_text(p, &len, &e);

	for (size_t n = 0; n < len - 1; n++) {
		struct err cut = ERR_INIT;
		struct cs_plan *q = cs_parse("plan", text, n, &cut);

		if (q != NULL)
			print_message("%zu: %.*s\n", n, (int)n, text);
		assert_null(q);
		assert_int_not_equal(cut.kind, ERR_NONE);
	}
}

static void
refusals(void **state)
{
	static const struct {
		const char *entry, *says;
	} bad[] = {
		{ "kind: reg", "kind must be one of" },
		{ "kind: file\n  path: WINDOWS\n  want: absent",
		  "root" },
		{ "kind: file\n  path: /a:b\n  want: absent", "root" },
		{ "kind: file\n  path: /a\n  want: [cabinet, a]", "too few" },
		{ "kind: file\n  path: /a\n  want: [sha256, 1, '00']",
		  "says nothing" },
		{ "kind: file\n  path: /a\n  want: absent\n  colour: red",
		  "unknown key" },
		{ "kind: file\n  path: /a\n  key: b\n  want: absent",
		  "hive's root" },
		{ "kind: file\n  path: /a\n  volume: 7\n  want: absent",
		  "volume must be" },
		{ "kind: registry-value\n  hive: /h\n  key: k\n  name: n\n"
		  "  want: [dword, 4294967296]", "a number" },
		{ "kind: registry-value\n  hive: /h\n  key: k\n  name: n\n"
		  "  want: [hex, 1, 'AB']", "lower-case" },
		{ "kind: registry-value\n  hive: /h\n  key: \\k\n  name: n\n"
		  "  want: absent", "hive's root" },
		{ "kind: bytes\n  want: [bytes, '00']", "at is missing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;
		SCOPED_FREE char *text = mem_fmt(&e,
			"format: halcyon-plan\nversion: 1\nmade-by: x\n"
			"volumes: [1]\nentries:\n- rule: r\n  why: w\n  %s\n",
			bad[i].entry);

		assert_null(cs_parse("plan", text, strlen(text), &e));
		assert_int_equal(e.kind, ERR_USAGE);
		if (strstr(e.msg, bad[i].says) == NULL)
			print_message("%s\n", e.msg);
		assert_non_null(strstr(e.msg, bad[i].says));
	}
}

static void
two_rules_disagree(void **state)
{
	struct err e = ERR_INIT;
	CS_PLAN_SCOPED struct cs_plan *p = empty(&e);
	struct cs_reason other = { "cpu/X17", "no" };

	(void)state;
	cs_want_dword(p, sys, "Services\\x", "Start", 0, why);
	cs_want_dword(p, sys, "SERVICES\\X", "start", 0, other);
	assert_int_equal(cs_sort(p, &e), 0);
	assert_int_equal(p->count, 1);
	cs_want_dword(p, sys, "Services\\x", "Start", 4, other);
	assert_int_equal(cs_sort(p, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, "cpu/X17"));
}

static void
building_is_sticky(void **state)
{
	struct err e = ERR_INIT;
	CS_PLAN_SCOPED struct cs_plan *p = empty(&e);

	(void)state;
	cs_want_dword(p, sys, "\\Select", "Default", 1, why);
	cs_want_dword(p, sys, "Select", "Default", 1, why);
	assert_int_equal(cs_ok(p, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

static void
memory_runs_out(void **state)
{
	(void)state;
	for (unsigned n = 1;; n++) {
		struct err e = ERR_INIT;
		size_t len;

		mem_fail_from(n);
		CS_PLAN_SCOPED struct cs_plan *p = empty(&e);

		if (p != NULL)
			fill(p);
		SCOPED_FREE char *text = p != NULL ? cs_text(p, &len, &e) : NULL;
		CS_PLAN_SCOPED struct cs_plan *q =
			text != NULL ? cs_parse("plan", text, len, &e) : NULL;

		mem_fail_from(0);
		if (q != NULL)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(prefixes_are_refused),
		cmocka_unit_test(refusals),
		cmocka_unit_test(two_rules_disagree),
		cmocka_unit_test(building_is_sticky),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("cs_plan", tests, NULL, NULL);
}
