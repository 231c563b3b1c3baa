/* qmp.c - QEMU's monitor, as much of it as a supervisor needs
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "runtime/peer.h"

static const char *const commands[] = {
	[RT_QMP_CAPABILITIES] = "qmp_capabilities",
	[RT_QMP_STATUS] = "query-status",
	[RT_QMP_BLOCKSTATS] = "query-blockstats",
	[RT_QMP_CONT] = "cont",
	[RT_QMP_STOP] = "stop",
	[RT_QMP_POWERDOWN] = "system_powerdown",
	[RT_QMP_RESET] = "system_reset",
	[RT_QMP_QUIT] = "quit",
};

void
rt_qmp_msg_done(struct rt_qmp_msg *m)
{
	js_done(&m->doc);
	*m = (struct rt_qmp_msg)RT_QMP_MSG_EMPTY;
}

int
rt_qmp_parse(const void *line, size_t len, struct rt_qmp_msg *ret,
	     struct err *e)
{
	RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
	const struct js *error;

	m.doc = js_parse(line, len, e);
	if (m.doc == NULL)
		return err_ctx(e, "QEMU's monitor");
	error = js_get(m.doc, "error");
	if (js_get(m.doc, "QMP") != NULL) {
		m.kind = RT_QMP_GREETING;
	} else if (error != NULL) {
		m.kind = RT_QMP_ERROR;
		m.name = js_get_str(error, "desc");
		if (m.name == NULL)
			return err_set(e, ERR_CORRUPT, "QEMU's monitor: an error "
				       "without a description");
	} else if (js_get(m.doc, "return") != NULL) {
		m.kind = RT_QMP_RETURN;
	} else {
		m.kind = RT_QMP_EVENT;
		m.name = js_get_str(m.doc, "event");
		if (m.name == NULL)
			return err_set(e, ERR_CORRUPT, "QEMU's monitor: neither "
				       "an answer nor an event");
	}
	*ret = TAKE(m);
	return 0;
}

void
rt_qmp_done(struct rt_qmp *q)
{
	if (q->fd >= 0)
		(void)close(q->fd);
	buf_done(&q->in);
	*q = (struct rt_qmp)RT_QMP_EMPTY;
}

/* A whole line from what was received: 1, or 0 when there is none yet. */
static int
next(struct rt_qmp *q, struct rt_qmp_msg *ret, struct err *e)
{
	const uint8_t *end = q->in.len == 0 ? NULL
			   : memchr(q->in.at, '\n', q->in.len);
	size_t len;

	if (end == NULL)
		return 0;
	len = (size_t)(end - q->in.at);
	if (rt_qmp_parse(q->in.at, len, ret, e) < 0)
		return -1;
	q->in.len -= len + 1;
	memmove(q->in.at, q->in.at + len + 1, q->in.len);
	return 1;
}

/* Take what the socket holds: 1, or 0 when there is nothing now. */
static int
receive(struct rt_qmp *q, struct err *e)
{
	char part[16384];
	ssize_t n = recv(q->fd, part, sizeof(part), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return err_sys(e, "QEMU's monitor");
	if (n == 0)
		return err_set(e, ERR_SYSTEM, "QEMU's monitor: QEMU closed it");
	if (q->in.len + (size_t)n > RT_QMP_LINE_MAX)
		return err_set(e, ERR_CORRUPT, "QEMU's monitor: a line of more "
			       "than %d bytes", RT_QMP_LINE_MAX);
	buf_bytes(&q->in, part, (size_t)n);
	return buf_ok(&q->in, e) < 0 ? -1 : 1;
}

/* The next message that is no event, until `deadline`. */
static int
await(struct rt_qmp *q, uint64_t deadline, struct rt_qmp_msg *ret,
      struct err *e)
{
	for (;;) {
		RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
		int got = next(q, &m, e);

		if (got < 0)
			return -1;
		if (got > 0 && m.kind != RT_QMP_EVENT) {
			*ret = TAKE(m);
			return 0;
		}
		if (got > 0) {
			if (q->on_event != NULL)
				q->on_event(&m, q->arg);
			continue;
		}
		struct pollfd p = { .fd = q->fd, .events = POLLIN };
		int left = clock_left(deadline);

		if (left == 0)
			return err_set(e, ERR_SYSTEM, "QEMU's monitor: no answer "
				       "in time");
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return err_sys(e, "QEMU's monitor");
		if (receive(q, e) < 0)
			return -1;
	}
}

/* The answer to `name`, which has been sent. */
static int
answer(struct rt_qmp *q, const char *name, unsigned timeout_ms,
       struct rt_qmp_msg *ret, struct err *e)
{
	RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
	char why[200];

	if (await(q, clock_ms() + timeout_ms, &m, e) < 0)
		return err_ctx(e, "%s", name);
	if (m.kind == RT_QMP_ERROR)
		return err_set(e, ERR_SYSTEM, "QEMU: %s: %s", name,
			       err_quote(why, sizeof(why), m.name,
					 strlen(m.name)));
	if (m.kind != RT_QMP_RETURN)
		return err_set(e, ERR_CORRUPT, "QEMU's monitor: greets again");
	if (ret != NULL)
		*ret = TAKE(m);
	return 0;
}

/* How long a command may take, and where it says what went wrong. */
struct until {
	unsigned ms;
	struct err *e;
};

int
rt_qmp_run(struct rt_qmp *q, enum rt_qmp_cmd cmd, unsigned timeout_ms,
	   struct rt_qmp_msg *ret, struct err *e)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "{\"execute\":\"%s\"}\n",
			   commands[cmd]);

	/* A command fits the socket's buffer, so this never waits. */
	if (send(q->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return err_sys(e, "QEMU's monitor: %s", commands[cmd]);
	return answer(q, commands[cmd], timeout_ms, ret, e);
}

/* A command with arguments, which the caller made; with `fd` >= 0 that goes along. */
PRINTF(5, 6) static int
run_line(struct rt_qmp *q, const char *name, int fd, struct until until,
	 const char *fmt, ...)
{
	char arguments[256], line[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(arguments, sizeof(arguments), fmt, ap);
	va_end(ap);
	int len = snprintf(line, sizeof(line), "{\"execute\":\"%s\","
			   "\"arguments\":{%s}}\n", name, arguments);
	if (rt_peer_send(q->fd, line, (size_t)len, fd, until.e) < 0)
		return err_ctx(until.e, "QEMU's monitor: %s", name);
	return answer(q, name, until.ms, NULL, until.e);
}

int
rt_qmp_add_viewer(struct rt_qmp *q, int fd, const char *protocol,
		  unsigned timeout_ms, struct err *e)
{
	const struct until until = { timeout_ms, e };

	if (run_line(q, "getfd", fd, until, "\"fdname\":\"viewer\"") < 0)
		return -1;
	return run_line(q, "add_client", -1, until, "\"protocol\":\"%s\","
			"\"fdname\":\"viewer\",\"skipauth\":true", protocol);
}

/* Sets of descriptors that QEMU got with its command line have small numbers. */
static unsigned
set_of(unsigned host_bus, unsigned number)
{
	return 100000 + host_bus * 1000 + number;
}

int
rt_qmp_unplug(struct rt_qmp *q, unsigned host_bus, unsigned number,
	      unsigned timeout_ms, struct err *e)
{
	const struct until until = { timeout_ms, e };
	struct err gone = ERR_INIT;
	const struct until either = { timeout_ms, &gone };

	/* Whatever became of the device, its descriptor goes. */
	(void)!run_line(q, "device_del", -1, either, "\"id\":\"usb-%u-%u\"",
			host_bus, number);
	return run_line(q, "remove-fd", -1, until, "\"fdset-id\":%u",
			set_of(host_bus, number));
}

int
rt_qmp_plug(struct rt_qmp *q, unsigned host_bus, unsigned number,
	    const char *bus, int fd, unsigned timeout_ms, struct err *e)
{
	const struct until until = { timeout_ms, e };
	unsigned set = set_of(host_bus, number);
	struct err ignored = ERR_INIT;

	if (run_line(q, "add-fd", fd, until, "\"fdset-id\":%u", set) < 0)
		return -1;
	if (run_line(q, "device_add", -1, until, "\"driver\":\"usb-host\","
		     "\"id\":\"usb-%u-%u\",\"bus\":\"%s\","
		     "\"hostdevice\":\"/dev/fdset/%u\"", host_bus, number, bus,
		     set) == 0)
		return 0;
	(void)!rt_qmp_unplug(q, host_bus, number, timeout_ms, &ignored);
	return -1;
}

int
rt_qmp_begin(struct rt_qmp *q, unsigned timeout_ms, struct err *e)
{
	RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;

	if (await(q, clock_ms() + timeout_ms, &m, e) < 0)
		return -1;
	if (m.kind != RT_QMP_GREETING)
		return err_set(e, ERR_CORRUPT, "QEMU's monitor: does not greet");
	return rt_qmp_run(q, RT_QMP_CAPABILITIES, timeout_ms, NULL, e);
}

int
rt_qmp_pump(struct rt_qmp *q, struct err *e)
{
	for (;;) {
		RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
		int got = next(q, &m, e);

		if (got == 0)
			got = receive(q, e);
		if (got <= 0)
			return got;
		if (m.doc == NULL)
			continue;
		if (m.kind != RT_QMP_EVENT)
			return err_set(e, ERR_CORRUPT, "QEMU's monitor: an answer "
				       "to nothing");
		if (q->on_event != NULL)
			q->on_event(&m, q->arg);
	}
}
