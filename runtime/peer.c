/* peer.c - messages between our own processes
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cur.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/scope.h"

/* A control message that holds one descriptor. */
union passed {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

int
rt_peer_pair(int ret[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_sys(e, "socket pair");
	return 0;
}

/* A socket and its address; `at` must stay open while the address is used. */
static int
make_socket(const char *dir, const char *name, int type, int *ret_at,
	    struct sockaddr_un *addr, struct err *e)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*ret_at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_at < 0)
		return err_sys(e, "%s", dir);
	(void)snprintf(addr->sun_path, sizeof(addr->sun_path),
		       "/proc/self/fd/%d/%s", *ret_at, name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "%s/%s", dir, name) : fd;
}

int
rt_peer_listen(const char *dir, const char *name, int type, int *ret,
	       struct err *e)
{
	struct sockaddr_un addr;
	SCOPED_FD int at = -1;
	SCOPED_FD int fd = make_socket(dir, name, type, &at, &addr, e);

	if (fd < 0)
		return -1;
	if (unlinkat(at, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "%s/%s", dir, name);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, 8) < 0)
		return err_sys(e, "%s/%s", dir, name);
	*ret = fd;
	fd = -1;
	return 0;
}

int
rt_peer_connect(const char *dir, const char *name, int type, int *ret,
		struct err *e)
{
	struct sockaddr_un addr;
	SCOPED_FD int at = -1;
	SCOPED_FD int fd = make_socket(dir, name, type, &at, &addr, e);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "%s/%s", dir, name);
	*ret = fd;
	fd = -1;
	return 0;
}

int
rt_peer_send(int to, const void *msg, size_t len, int fd, struct err *e)
{
	/* sendmsg() only reads what iov_base points to. */
	union { const void *from; void *to; } bytes = { .from = msg };
	struct iovec iov = { .iov_base = bytes.to, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union passed passed = { .head = { .cmsg_len = 0 } };

	if (fd >= 0) {
		m.msg_control = &passed;
		m.msg_controllen = sizeof(passed.room);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	if (sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return err_sys(e, "message");
	return 0;
}

static int
await(int from, int timeout_ms, struct err *e)
{
	uint64_t deadline = clock_ms() + (uint64_t)(timeout_ms < 0
						       ? 0 : timeout_ms);
	struct pollfd p = { .fd = from, .events = POLLIN };

	for (;;) {
		int left = timeout_ms < 0 ? -1 : clock_left(deadline);
		int n = poll(&p, 1, left);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, "message");
		if (n == 0 && clock_left(deadline) == 0)
			return err_set(e, ERR_SYSTEM, "message: none came in time");
	}
}

/* The descriptor of a received message, or -1. */
static int
passed_fd(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int
rt_peer_recv(int from, int timeout_ms, void *buf, size_t size, size_t *ret_len,
	     int *ret_fd, struct err *e)
{
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	union passed passed;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &passed,
			    .msg_controllen = sizeof(passed.room) };
	ssize_t n;

	if (await(from, timeout_ms, e) < 0)
		return -1;
	n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return err_sys(e, "message");
	SCOPED_FD int fd = passed_fd(&m);
	if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return err_set(e, ERR_CORRUPT, "message: longer than one may be");
	if (n == 0)
		return 0;
	*ret_len = (size_t)n;
	if (ret_fd != NULL) {
		*ret_fd = fd;
		fd = -1;
	}
	return 1;
}

/* kind u32, errno u32, length u32 and message, then the document's text. */
int
rt_peer_answer(int to, const struct err *result, const struct js *doc,
	       struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	SCOPED_FREE char *text = NULL;
	size_t len = result->kind == ERR_NONE ? 0 : strlen(result->msg);

	if (doc != NULL) {
		text = js_text(doc, e);
		if (text == NULL)
			return -1;
	}
	buf_u32le(&b, (uint32_t)result->kind);
	buf_u32le(&b, (uint32_t)result->os);
	buf_u32le(&b, (uint32_t)len);
	buf_bytes(&b, result->msg, len);
	if (text != NULL)
		buf_str(&b, text);
	if (buf_ok(&b, e) < 0)
		return -1;
	return rt_peer_send(to, b.at, b.len, -1, e);
}

static int
read_answer(const void *msg, size_t len, struct js **ret_doc, struct err *e)
{
	struct cur c = cur_over("answer", msg, len);
	struct err said = ERR_INIT;
	uint32_t kind = cur_u32le(&c);
	uint32_t os = cur_u32le(&c);
	uint32_t n = cur_u32le(&c);

	if (cur_ok(&c) && (kind > ERR_INTERRUPTED || n >= sizeof(said.msg) ||
			   os > 4095))
		cur_bad(&c, "has a field out of its range");
	if (!cur_ok(&c))
		return cur_err(&c, e);
	cur_bytes(&c, said.msg, n);
	if (!cur_ok(&c))
		return cur_err(&c, e);
	if (kind != ERR_NONE) {
		said.kind = (enum err_kind)kind;
		said.os = (int)os;
		*e = said;
		return -1;
	}
	if (ret_doc == NULL || cur_left(&c) == 0)
		return 0;
	*ret_doc = js_parse(c.at, cur_left(&c), e);
	return *ret_doc == NULL ? -1 : 0;
}

int
rt_peer_ask(int from, int timeout_ms, const char *who, struct js **ret_doc,
	    struct err *e)
{
	SCOPED_FREE uint8_t *msg = mem_array(RT_PEER_MAX, 1, e);
	size_t len;

	if (msg == NULL)
		return -1;
	int got = rt_peer_recv(from, timeout_ms, msg, RT_PEER_MAX, &len, NULL, e);
	if (got < 0)
		return err_ctx(e, "%s", who);
	if (got == 0)
		return err_set(e, ERR_SYSTEM, "%s: ended without an answer", who);
	return read_answer(msg, len, ret_doc, e);
}
