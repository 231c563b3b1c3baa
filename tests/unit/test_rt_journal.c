/* test_rt_journal.c - a guest's journal, whatever happened to it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "runtime/journal.h"

static char path[64];

static int
setup(void **state)
{
	(void)state;
	memcpy(path, "/tmp/halcyon-journal.XXXXXX", 28);
	int fd = mkstemp(path);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return unlink(path);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void
add(struct rt_journal *j, enum rt_event ev, const char *detail)
{
	struct err e = ERR_INIT;

	if (rt_journal_add(j, ev, detail, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
write_one(void)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	struct err e = ERR_INIT;

	assert_int_equal(rt_journal_open(path, true, &j, &e), 0);
	assert_int_equal(j.state, RT_ST_NONE);
	add(&j, RT_EV_CREATED, "win7:1");
	add(&j, RT_EV_STARTING, "tcg, user namespace");
	add(&j, RT_EV_RUNNING, "");
	add(&j, RT_EV_BLOCK_RESTARTED, "killed by signal 9");
	add(&j, RT_EV_PAUSED, "no\nspace \xff left");
	add(&j, RT_EV_RESUMED, "");
	add(&j, RT_EV_STOPPED, "the guest powered off");
}

static void
test_replay(void **state)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	write_one();
	assert_int_equal(rt_journal_open(path, false, &j, &e), 0);
	assert_int_equal(j.state, RT_ST_STOPPED);
	assert_int_equal(j.last.seq, 7);
	assert_string_equal(j.last.detail, "the guest powered off");
}

/* What cannot happen is refused, and leaves no trace. */
static void
test_refused(void **state)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	struct err e = ERR_INIT;

	(void)state;
	write_one();
	assert_int_equal(rt_journal_open(path, true, &j, &e), 0);
	assert_int_equal(rt_journal_add(&j, RT_EV_RUNNING, "", &e), -1);
	assert_int_equal(e.kind, ERR_UNSAFE);
	assert_int_equal(j.state, RT_ST_STOPPED);
	add(&j, RT_EV_STARTING, "");
	assert_int_equal(j.last.seq, 8);
}

/* A power cut leaves any prefix: each opens, as if what is torn were never
 * begun, and takes the next record. */
static void
test_every_prefix(void **state)
{
	SCOPED_FREE uint8_t *text = NULL;
	struct err e = ERR_INIT;
	uint64_t last_seq = 0;
	size_t len;

	(void)state;
	write_one();
	assert_int_equal(io_slurp(path, 1 << 16, &text, &len, &e), 0);
	for (size_t cut = 0; cut < len; cut++) {
		RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
		RT_JOURNAL_SCOPED struct rt_journal again = RT_JOURNAL_EMPTY;

		assert_int_equal(io_put(path, text, cut, 0600, &e), 0);
		if (rt_journal_open(path, true, &j, &e) < 0)
			fail_msg("%zu bytes: %s", cut, e.msg);
		assert_true(j.last.seq == last_seq || j.last.seq == last_seq + 1);
		last_seq = j.last.seq;
		for (int ev = 0; ev < RT_EVENTS; ev++)
			if (rt_state_after(j.state, (enum rt_event)ev) >= 0) {
				add(&j, (enum rt_event)ev, "win7:2 after the cut");
				break;
			}
		assert_int_equal(rt_journal_open(path, false, &again, &e), 0);
		assert_int_equal(again.last.seq, last_seq + 1);
	}
}

/* A bit turned in any line but the last is damage, and is said. */
static void
test_every_byte(void **state)
{
	SCOPED_FREE uint8_t *text = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	write_one();
	assert_int_equal(io_slurp(path, 1 << 16, &text, &len, &e), 0);
	text[len - 1] = '\0';
	size_t last = (size_t)(strrchr((char *)text, '\n') - (char *)text);
	text[len - 1] = '\n';
	for (size_t at = 0; at < last; at++) {
		RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
		struct err why = ERR_INIT;

		text[at] ^= 1;
		assert_int_equal(io_put(path, text, len, 0600, &e), 0);
		assert_int_equal(rt_journal_open(path, false, &j, &why), -1);
		assert_int_equal(why.kind, ERR_CORRUPT);
		text[at] ^= 1;
	}
}

/* From any state, a failure leads to one from which a start is possible; and
 * nothing is alive that was not started. */
static void
test_states(void **state)
{
	(void)state;
	for (int s = RT_ST_STOPPED; s < RT_STATES; s++) {
		int failed = rt_state_after((enum rt_state)s, RT_EV_FAILED);

		if (rt_state_alive((enum rt_state)s)) {
			assert_int_equal(failed, RT_ST_FAILED);
			assert_int_equal(rt_state_after((enum rt_state)s,
							RT_EV_STARTING), -1);
		} else {
			assert_int_equal(failed, -1);
			assert_int_equal(rt_state_after((enum rt_state)s,
							RT_EV_STARTING),
					 RT_ST_STARTING);
		}
		for (int ev = 0; ev < RT_EVENTS; ev++) {
			int to = rt_state_after((enum rt_state)s,
						(enum rt_event)ev);

			if (to >= 0 && rt_state_alive((enum rt_state)to) &&
			    !rt_state_alive((enum rt_state)s))
				assert_int_equal(ev, RT_EV_STARTING);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_prefix, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_every_byte, setup,
						teardown),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
