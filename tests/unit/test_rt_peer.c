/* test_rt_peer.c - messages between processes, and QEMU's monitor
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/scope.h"
#include "runtime/peer.h"
#include "runtime/qmp.h"

static void
test_message(void **state)
{
	struct err e = ERR_INIT;
	SCOPED_FD int null = open("/dev/null", O_RDONLY);
	int pair[2], fd = -1;
	char buf[8];
	size_t len;

	(void)state;
	assert_int_equal(rt_peer_pair(pair, &e), 0);
	assert_int_equal(rt_peer_send(pair[0], "hello", 5, null, &e), 0);
	assert_int_equal(rt_peer_recv(pair[1], 1000, buf, sizeof(buf), &len,
				      &fd, &e), 1);
	assert_int_equal(len, 5);
	assert_memory_equal(buf, "hello", 5);
	assert_true(fd >= 0);
	(void)close(fd);
	/* Too long for the reader: an error, never a part of it. */
	assert_int_equal(rt_peer_send(pair[0], "hello, you", 10, -1, &e), 0);
	assert_int_equal(rt_peer_recv(pair[1], 1000, buf, sizeof(buf), &len,
				      NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	e = (struct err)ERR_INIT;
	assert_int_equal(rt_peer_recv(pair[1], 0, buf, sizeof(buf), &len, NULL,
				      &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	e = (struct err)ERR_INIT;
	(void)close(pair[0]);
	assert_int_equal(rt_peer_recv(pair[1], 1000, buf, sizeof(buf), &len,
				      NULL, &e), 0);
	(void)close(pair[1]);
}

/* An error travels whole: kind, errno, words. */
static void
test_answer(void **state)
{
	struct err e = ERR_INIT, said = ERR_INIT, got = ERR_INIT;
	JS_SCOPED struct js *doc = js_new("test", 1, &e);
	JS_SCOPED struct js *back = NULL;
	int pair[2];

	(void)state;
	assert_int_equal(rt_peer_pair(pair, &e), 0);
	(void)err_set(&said, ERR_AUTH, "the key: another one");
	assert_int_equal(rt_peer_answer(pair[0], &said, NULL, &e), 0);
	assert_int_equal(rt_peer_ask(pair[1], 1000, "x", NULL, &got), -1);
	assert_int_equal(got.kind, ERR_AUTH);
	assert_string_equal(got.msg, "the key: another one");
	js_str(doc, "a", "b");
	said = (struct err)ERR_INIT;
	got = (struct err)ERR_INIT;
	assert_int_equal(rt_peer_answer(pair[0], &said, doc, &e), 0);
	assert_int_equal(rt_peer_ask(pair[1], 1000, "x", &back, &got), 0);
	assert_string_equal(js_get_str(back, "a"), "b");
	(void)close(pair[0]);
	assert_int_equal(rt_peer_ask(pair[1], 1000, "x", NULL, &got), -1);
	(void)close(pair[1]);
}

/* Bytes that are no answer. */
static void
test_bad_answer(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "\0\0\0\0\0\0\0\0\0\0\0", 11 },
		{ "\1\0\0\0\0\0\0\0\5\0\0\0abc", 15 },
		{ "\1\0\0\0\0\0\0\0\377\377\377\377abc", 15 },
		{ "\377\0\0\0\0\0\0\0\0\0\0\0", 12 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0{", 13 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;
		JS_SCOPED struct js *doc = NULL;
		int pair[2];

		assert_int_equal(rt_peer_pair(pair, &e), 0);
		assert_int_equal(rt_peer_send(pair[0], bad[i].bytes, bad[i].len,
					      -1, &e), 0);
		assert_int_equal(rt_peer_ask(pair[1], 1000, "x", &doc, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
}

struct heard {
	int stops;
};

static void
hear(const struct rt_qmp_msg *m, void *arg)
{
	struct heard *h = arg;

	h->stops += strcmp(m->name, "STOP") == 0;
}

/* A monitor whose other end is ours. */
static int
monitor(struct rt_qmp *q, const char *says)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	q->fd = pair[0];
	assert_int_equal(write(pair[1], says, strlen(says)), strlen(says));
	return pair[1];
}

static void
test_monitor(void **state)
{
	struct heard h = { .stops = 0 };
	RT_QMP_SCOPED struct rt_qmp q = RT_QMP_EMPTY;
	struct err e = ERR_INIT;
	char sent[256];

	(void)state;
	q.on_event = hear;
	q.arg = &h;
	SCOPED_FD int other = monitor(&q, "{\"QMP\": {}}\r\n{\"return\": {}}\n"
				      "{\"event\": \"STOP\"}\n{\"return\": {}}\n"
				      "{\"event\": \"ST");
	assert_int_equal(rt_qmp_begin(&q, 1000, &e), 0);
	assert_int_equal(rt_qmp_run(&q, RT_QMP_CONT, 1000, NULL, &e), 0);
	assert_int_equal(h.stops, 1);
	assert_int_equal(rt_qmp_pump(&q, &e), 0);
	assert_int_equal(h.stops, 1);
	assert_int_equal(write(other, "OP\"}\n", 5), 5);
	assert_int_equal(rt_qmp_pump(&q, &e), 0);
	assert_int_equal(h.stops, 2);
	ssize_t n = read(other, sent, sizeof(sent) - 1);
	assert_true(n > 0);
	sent[n] = '\0';
	assert_string_equal(sent, "{\"execute\":\"qmp_capabilities\"}\n"
			    "{\"execute\":\"cont\"}\n");
	/* No answer: an error after its time, not a hang. */
	assert_int_equal(rt_qmp_run(&q, RT_QMP_STOP, 50, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void
test_garbage(void **state)
{
	static const char *const bad[] = {
		"garbage\n", "[]\n", "{}\n", "{\"error\": 3}\n",
		"{\"error\": {\"desc\": 3}}\n", "{\"event\": {}}\n",
		"{\"QMP\": \n", "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		RT_QMP_SCOPED struct rt_qmp q = RT_QMP_EMPTY;
		struct err e = ERR_INIT;
		SCOPED_FD int other = monitor(&q, bad[i]);

		assert_int_equal(rt_qmp_begin(&q, 1000, &e), -1);
		if (e.kind != ERR_CORRUPT)
			fail_msg("%s: %s", bad[i], e.msg);
		(void)other;
	}
}

/* A line without end does not fill the memory. */
static void
test_endless(void **state)
{
	RT_QMP_SCOPED struct rt_qmp q = RT_QMP_EMPTY;
	struct err e = ERR_INIT;
	char part[4096];
	SCOPED_FD int other = monitor(&q, "{\"event\": \"");

	(void)state;
	memset(part, 'a', sizeof(part));
	int r = 0;
	for (size_t i = 0; r == 0 && i < 2 * RT_QMP_LINE_MAX / sizeof(part);
	     i++) {
		assert_int_equal(write(other, part, sizeof(part)), sizeof(part));
		r = rt_qmp_pump(&q, &e);
	}
	assert_int_equal(r, -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_bad_answer),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
