/* test_rt_slots.c - whatever happens to versions, one that is good stays
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "runtime/health.h"
#include "runtime/journal.h"
#include "runtime/slots.h"

static void
must(struct rt_slots *s, enum rt_event ev, const char *detail)
{
	if (rt_slots_apply(s, (int)ev, detail) < 0)
		fail_msg("%s %s", rt_event_words[ev], detail);
}

static void
must_not(const struct rt_slots *s, enum rt_event ev, const char *detail)
{
	struct rt_slots copy = *s;

	if (rt_slots_apply(&copy, (int)ev, detail) == 0)
		fail_msg("%s %s happened", rt_event_words[ev], detail);
	assert_memory_equal(&copy, s, sizeof(copy));
}

static void
test_life(void **state)
{
	struct rt_slots s = { .tries = 0 };

	(void)state;
	must(&s, RT_EV_CREATED, "w:1");
	assert_string_equal(rt_slots_start(&s), "w:1");
	must(&s, RT_EV_HEALTHY, "w:1 console disk");
	assert_string_equal(s.passed, "console disk");
	must_not(&s, RT_EV_STAGED, "w:1");
	must_not(&s, RT_EV_TRIAL, "w:2");
	must_not(&s, RT_EV_ROLLED_BACK, "w:0");
	must(&s, RT_EV_STAGED, "w:2");
	assert_string_equal(rt_slots_start(&s), "w:2");
	must_not(&s, RT_EV_ACTIVE, "w:2 console");	/* never tried */
	must(&s, RT_EV_TRIAL, "w:2 try 1 of 3");
	must_not(&s, RT_EV_ACTIVE, "w:3");
	must_not(&s, RT_EV_HEALTHY, "w:2");
	must(&s, RT_EV_ACTIVE, "w:2 console");
	assert_string_equal(s.active, "w:2");
	assert_string_equal(s.previous, "w:1");
	assert_string_equal(s.passed, "console");
	must_not(&s, RT_EV_ROLLED_BACK, "w:2");
	must(&s, RT_EV_ROLLED_BACK, "w:1 as asked");
	assert_true(rt_slots_is_rejected(&s, "w:2"));
	assert_string_equal(rt_slots_start(&s), "w:1");
	must(&s, RT_EV_STAGED, "w:2");		/* knowingly: forgiven */
	assert_false(rt_slots_is_rejected(&s, "w:2"));
	must(&s, RT_EV_TRIAL, "w:2");
	must(&s, RT_EV_REJECTED, "w:2 failed");
	assert_true(rt_slots_is_rejected(&s, "w:2"));
	assert_string_equal(rt_slots_start(&s), "w:1");
	for (const char *const *v = (const char *const []){ "", "w", ":1", "w:",
	     " w:1", NULL }; *v != NULL; v++)
		must_not(&s, RT_EV_STAGED, *v);
}

static WRAPS uint32_t
next(uint32_t random)
{
	return random * 1664525u + 1013904223u;
}

/* Random events: the invariants hold after each. */
static void
test_invariants(void **state)
{
	uint32_t random = 12345;
	struct rt_slots s = { .tries = 0 };

	(void)state;
	must(&s, RT_EV_CREATED, "w:0");
	for (int step = 0; step < 200000; step++) {
		const struct rt_slots was = s;
		char detail[32];

		random = next(random);
		int ev = RT_EV_STAGED + (int)(random >> 8) % 6;
		(void)snprintf(detail, sizeof(detail), "w:%u console",
			       (random >> 16) % 40);
		bool done = rt_slots_apply(&s, ev, detail) == 0;

		if (!done)
			assert_memory_equal(&s, &was, sizeof(s));
		/* Something can always be started, and it is not a version
		 * that was found bad. */
		assert_true(s.active[0] != '\0');
		assert_false(rt_slots_is_rejected(&s, rt_slots_start(&s)));
		assert_string_not_equal(s.active, s.next);
		/* What runs changes only to what was tried, or back. */
		if (strcmp(s.active, was.active) != 0)
			assert_true((ev == RT_EV_ACTIVE && was.tries > 0 &&
				     strcmp(s.active, was.next) == 0 &&
				     strcmp(s.previous, was.active) == 0) ||
				    (ev == RT_EV_ROLLED_BACK &&
				     strcmp(s.active, was.previous) == 0));
		assert_true(s.rejected_count <= RT_REJECTED_MAX);
	}
}

static void
test_words(void **state)
{
	char text[RT_PASSED_ROOM];

	(void)state;
	for (unsigned set = 0; set <= RT_HEALTH_ALL; set++) {
		rt_health_words(set, text, sizeof(text));
		assert_int_equal(rt_health_parse(text), set);
	}
	assert_int_equal(rt_health_parse("disks  disk x"), RT_HEALTH_DISK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_invariants),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
