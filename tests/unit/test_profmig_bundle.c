/* test_profmig_bundle.c - the catalogue of a bundle, there and back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * With BUNDLE_OUT in the environment it writes its catalogue there, as a seed
 * for the fuzzer.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "profmig/bundle.h"

enum { STREAM = 1000 };

static struct wn_sid
sid_of(const char *text)
{
	struct err e = ERR_INIT;
	struct wn_sid sid = { .len = 0 };

	assert_int_equal(wn_sid_from_text(text, &sid, &e), 0);
	return sid;
}

/* A person with one of everything; what it points to is static. */
static void
make(struct buf *out)
{
	static struct pm_named_stream streams[] = { { (char *)(uintptr_t)"Zone",
						      1 } };
	static struct pm_item items[2];
	static struct pm_loss losses[1];
	static struct pm_short shorts[1];
	static struct pm_content_at contents[] = {
		{ .at = 0, .size = 400 }, { .at = 400, .size = 600 },
	};
	static uint8_t sd[] = { 1, 2, 3 };
	static struct pm_descriptor descriptors[] = { { sd, sizeof(sd) } };
	static char *programs[1];
	static struct pm_person person;
	struct pm_bundle b = {
		.people = 1, .contents = 2, .descriptors = 1, .programs = 1,
		.person = &person, .content = contents,
		.descriptor = descriptors, .program = programs,
	};

	programs[0] = (char *)(uintptr_t)"Writer 3";
	b.origin.generation = WN_XP;
	b.origin.arch = WN_X86;
	b.origin.product = (char *)(uintptr_t)"XP";
	b.origin.machine_sid = sid_of("S-1-5-21-1-2-3");
	items[0] = (struct pm_item){
		.path = (char *)(uintptr_t)"C:\\x", .attributes = 0x10,
		.content = PM_NO_CONTENT, .reparse = PM_NO_CONTENT,
	};
	items[1] = (struct pm_item){
		.path = (char *)(uintptr_t)"C:\\x\\\xc3\xa4", .content = 0,
		.reparse = PM_NO_CONTENT, .streams = 1, .stream = streams,
		.times = { 1, 2, 3, 4 },
	};
	losses[0] = (struct pm_loss){ .kind = PM_LOSS_EFS,
		.what = (char *)(uintptr_t)"C:\\e",
		.why = (char *)(uintptr_t)"w", .bytes = 9 };
	shorts[0] = (struct pm_short){ (char *)(uintptr_t)"C:\\x y",
				       (char *)(uintptr_t)"XY~1" };
	person = (struct pm_person){
		.name = (char *)(uintptr_t)"alice",
		.sid = sid_of("S-1-5-21-1-2-3-1001"),
		.account = WN_ACCOUNT_LOCAL,
		.profile = (char *)(uintptr_t)"C:\\x", .ntuser = 0,
		.usrclass = PM_NO_CONTENT, .items = 2, .item = items,
		.losses = 1, .loss = losses, .shorts = 1,
		.short_name = shorts,
	};
	person.folder[WN_DESKTOP] = (char *)(uintptr_t)"C:\\x\\Desktop";
	pm_bundle_put(&b, out);
}

static void
both_ways(void **state)
{
	PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY, again = BUF_EMPTY;
	const char *seed = getenv("BUNDLE_OUT");
	struct err e = ERR_INIT;

	(void)state;
	make(&out);
	assert_int_equal(pm_bundle_parse(out.at, out.len, STREAM, &b, &e), 0);
	assert_string_equal(b.person[0].name, "alice");
	assert_string_equal(b.person[0].item[1].path, "C:\\x\\\xc3\xa4");
	assert_int_equal(b.person[0].item[1].times[3], 4);
	assert_string_equal(b.person[0].item[1].stream[0].name, "Zone");
	assert_int_equal(b.person[0].loss[0].kind, PM_LOSS_EFS);
	assert_null(b.origin.domain);
	pm_bundle_put(&b, &again);
	assert_int_equal(again.len, out.len);
	assert_memory_equal(again.at, out.at, out.len);
	assert_ptr_equal(pm_bundle_person(&b, NULL, &e), &b.person[0]);
	assert_ptr_equal(pm_bundle_person(&b, "ALICE", &e), &b.person[0]);
	assert_null(pm_bundle_person(&b, "bob", &e));
	assert_int_equal(e.kind, ERR_NO);
	if (seed != NULL) {
		e = (struct err)ERR_INIT;
		assert_int_equal(io_put(seed, out.at, out.len, 0644, &e), 0);
	}
}

static void
prefixes_and_memory(void **state)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;

	(void)state;
	make(&out);
	for (size_t n = 0; n < out.len; n++) {
		PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
		uint8_t *exact = malloc(n == 0 ? 1 : n);
		struct err e = ERR_INIT;

		assert_non_null(exact);
		memcpy(exact, out.at, n);
		assert_int_equal(pm_bundle_parse(exact, n, STREAM, &b, &e),
				 -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(b.people, 0);
		free(exact);
	}
	for (unsigned i = 1; i < 200; i++) {
		PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
		struct err e = ERR_INIT;

		mem_fail_from(i);
		int r = pm_bundle_parse(out.at, out.len, STREAM, &b, &e);
		mem_fail_from(0);
		if (r == 0)
			return;
		assert_int_equal(e.kind, ERR_NOMEM);
	}
	fail_msg("still allocating");
}

/* Content that the frames do not hold, a version from the future. */
static void
refused(void **state)
{
	PM_BUNDLE_SCOPED struct pm_bundle b = PM_BUNDLE_EMPTY;
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	make(&out);
	assert_int_equal(pm_bundle_parse(out.at, out.len, STREAM - 1, &b, &e),
			 -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	e = (struct err)ERR_INIT;
	out.at[8] = 2;
	assert_int_equal(pm_bundle_parse(out.at, out.len, STREAM, &b, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(prefixes_and_memory),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("profmig_bundle", tests, NULL,
					   NULL);
}
