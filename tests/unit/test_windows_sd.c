/* test_windows_sd.c - SIDs and security descriptors, binary and text
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "windows/sd.h"

#define ALICE "S-1-5-21-1111-2222-3333-1001"
#define BOB "S-1-5-21-4444-5555-6666-1104"

/* [MS-DTYP] 2.4.2.2: S-1-5-32-544. */
static const uint8_t admins[] = {
	1, 2, 0, 0, 0, 0, 0, 5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
};

static struct wn_sid
sid_of(const char *text)
{
	struct err e = ERR_INIT;
	struct wn_sid sid = { .len = 0 };

	assert_int_equal(wn_sid_from_text(text, &sid, &e), 0);
	return sid;
}

static void
sid_both_ways(void **state)
{
	static const char *const good[] = {
		"S-1-5-32-544", "S-1-1-0", ALICE, "S-1-15-2-1", "S-1-5",
		"S-1-0x123456789abc-7",
		"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-4294967295",
	};
	static const char *const bad[] = {
		"", "S-1", "S-1-", "S-2-5-1", "S-1-5-", "S-1-5-x", "alice",
		"S-1-5-4294967296", "S-1-5-1 ", "S-1-5--1",
		"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
	};
	char text[WN_SID_TEXT];
	struct wn_sid sid;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		sid = sid_of(good[i]);
		assert_string_equal(wn_sid_text(&sid, text), good[i]);
	}
	sid = sid_of("S-1-5-32-544");
	assert_int_equal(sid.len, sizeof(admins));
	assert_memory_equal(sid.at, admins, sizeof(admins));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(wn_sid_from_text(bad[i], &sid, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	for (size_t n = 0; n <= sizeof(admins) + 1; n++) {
		uint8_t at[sizeof(admins) + 1] = { 0 };
		struct err e = ERR_INIT;

		memcpy(at, admins, sizeof(admins));
		assert_int_equal(wn_sid_parse(at, n, &sid, &e),
				 n == sizeof(admins) ? 0 : -1);
	}
}

static void
sid_domains(void **state)
{
	struct wn_sid alice = sid_of(ALICE), bob = sid_of(BOB);
	struct wn_sid group = wn_sid_with_rid(&alice, 513);
	struct wn_sid domain = sid_of("S-1-5-21-1111-2222-3333");
	struct wn_sid made = wn_sid_add_rid(&domain, 1001);

	(void)state;
	assert_int_equal(wn_sid_rid(&alice), 1001);
	assert_true(wn_sid_is_account(&alice));
	assert_false(wn_sid_is_account(&domain));
	assert_true(wn_sid_same_domain(&alice, &group));
	assert_false(wn_sid_same_domain(&alice, &bob));
	assert_true(wn_sid_same(&made, &alice));
}

/* Parse -> build and parse -> text -> parse give the same descriptor. */
static void
round_trip(const char *sddl, struct buf *bytes)
{
	struct err e = ERR_INIT;
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	WN_SD_SCOPED struct wn_sd again = WN_SD_EMPTY;
	BUF_SCOPED struct buf text = BUF_EMPTY;

	assert_int_equal(wn_sd_from_sddl(sddl, &sd, &e), 0);
	wn_sd_build(&sd, bytes);
	assert_int_equal(buf_ok(bytes, &e), 0);
	assert_int_equal(wn_sd_parse(bytes->at, bytes->len, &again, &e), 0);
	assert_int_equal(wn_sd_to_sddl(&again, &text, &e), 0);
	assert_int_equal(buf_ok(&text, &e), 0);
	assert_string_equal((const char *)text.at, sddl);
}

static void
sddl_both_ways(void **state)
{
	static const char *const good[] = {
		"O:BAG:SYD:(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)",
		"O:" ALICE "G:SYD:PAI(A;OICI;FA;;;" ALICE ")(D;;0x1;;;WD)",
		"D:(A;CIIO;GA;;;CO)S:(ML;;NW;;;LW)",
		"S:AI(AU;SAFA;FA;;;WD)", "D:", "D:NO_ACCESS_CONTROL",
		"O:SYG:SYD:PAI(A;;KA;;;SY)(A;;KR;;;RC)(A;ID;0x20018;;;AC)",
	};
	static const char *const bad[] = {
		"O", "O:XX", "D:(A;;FA;;;SY", "D:(A;;FA;;SY)", "D:(Z;;FA;;;SY)",
		"D:(A;QQ;FA;;;SY)", "D:(A;;F;;;SY)", "X:SY", "D:Q(A;;FA;;;SY)",
		"D:(A;;FA;;;SY)x", "O:SYG",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		BUF_SCOPED struct buf bytes = BUF_EMPTY;

		round_trip(good[i], &bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;
		WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;

		assert_int_equal(wn_sd_from_sddl(bad[i], &sd, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_int_equal(sd.dacl.count, 0);
	}
}

static void
sd_prefixes_and_memory(void **state)
{
	BUF_SCOPED struct buf bytes = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	round_trip("O:" ALICE "G:SYD:P(A;OICI;FA;;;" BOB ")(D;;0x1;;;WD)"
		   "S:(ML;;NW;;;LW)", &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
		uint8_t *exact = malloc(n == 0 ? 1 : n);

		assert_non_null(exact);
		memcpy(exact, bytes.at, n);
		e = (struct err)ERR_INIT;
		assert_int_equal(wn_sd_parse(exact, n, &sd, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		free(exact);
	}
	for (unsigned i = 1; i < 100; i++) {
		WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;

		e = (struct err)ERR_INIT;
		mem_fail_from(i);
		int r = wn_sd_parse(bytes.at, bytes.len, &sd, &e);
		mem_fail_from(0);
		if (r == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
	fail_msg("still allocating");
}

/* What a descriptor of the old machine becomes on the new one. */
static void
sd_translation(void **state)
{
	struct err e = ERR_INIT;
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	BUF_SCOPED struct buf text = BUF_EMPTY;
	struct wn_sid_map map[] = {
		{ sid_of(ALICE), sid_of("S-1-5-21-7-8-9-1005") },
	};
	struct wn_sid bob = sid_of(BOB), system_sid = sid_of("S-1-5-18");
	size_t dropped;

	(void)state;
	assert_int_equal(wn_sd_from_sddl(
		"O:" ALICE "G:S-1-5-21-1111-2222-3333-513D:(A;;FA;;;" ALICE ")"
		"(A;;FA;;;S-1-5-21-1111-2222-3333-500)(A;;FR;;;" BOB ")"
		"(A;;FA;;;SY)", &sd, &e), 0);
	wn_sd_translate(&sd, map, 1, &bob, &system_sid, &dropped);
	assert_int_equal(dropped, 1);
	assert_int_equal(wn_sd_to_sddl(&sd, &text, &e), 0);
	assert_string_equal((const char *)text.at,
		"O:S-1-5-21-7-8-9-1005G:SYD:(A;;FA;;;S-1-5-21-7-8-9-1005)"
		"(A;;FR;;;" BOB ")(A;;FA;;;SY)");
}

static void
sd_access(void **state)
{
	static const struct {
		const char *sddl;
		bool granted;
	} cases[] = {
		{ "D:(A;;FA;;;" ALICE ")", true },
		{ "D:(A;;GA;;;" ALICE ")", true },
		{ "D:(A;;FR;;;" ALICE ")", false },
		{ "D:(A;;FR;;;" ALICE ")(A;;FA;;;WD)", true },
		{ "D:(A;OICIIO;FA;;;" ALICE ")", false },
		{ "D:(D;;0x1;;;WD)(A;;FA;;;" ALICE ")", false },
		{ "D:(D;IO;0x1;;;WD)(A;;FA;;;" ALICE ")", true },
		{ "D:(A;;FA;;;" ALICE ")(D;;0x1;;;WD)", true },
		{ "D:(A;;FA;;;" BOB ")", false },
		{ "D:", false },
		{ "D:NO_ACCESS_CONTROL", true },
		{ "O:SY", true },
	};
	struct wn_sid me[] = { sid_of(ALICE), sid_of("S-1-1-0") };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;

		assert_int_equal(wn_sd_from_sddl(cases[i].sddl, &sd, &e), 0);
		assert_int_equal(wn_sd_grants(&sd, me, 2, 0x1f01ff, 0x1f01ff),
				 cases[i].granted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sid_both_ways),
		cmocka_unit_test(sid_domains),
		cmocka_unit_test(sddl_both_ways),
		cmocka_unit_test(sd_prefixes_and_memory),
		cmocka_unit_test(sd_translation),
		cmocka_unit_test(sd_access),
	};

	return cmocka_run_group_tests_name("windows_sd", tests, NULL, NULL);
}
