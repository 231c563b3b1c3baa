/* worker.c - the parent's side of a volume's process
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "disk/disk.h"
#include "volume/wire.h"

enum { SILENCE_S = 120 };	/* a worker that says nothing is stuck */

struct native {
	pid_t pid;
	int sock;
	uint8_t *areas;		/* call area, then io area */
	struct err io;		/* why a sector could not be had */
};

/* ---- the process ---------------------------------------------------------- */

static void
native_free(struct vo *v)
{
	struct native *n = v->own;

	scope_close(&n->sock);
	if (n->pid > 0) {
		(void)kill(n->pid, SIGKILL);
		while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (n->areas != NULL)
		(void)munmap(n->areas, VO_AREAS);
	free(n);
}

/* In the child: nothing stays open but the socket. */
static _Noreturn void
become_worker(int sock, const struct native *n, const struct vo *v)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* a terminal's Ctrl-C is for the parent, which ends us */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0 || dup2(sock, 3) < 0)
		_exit(1);
	(void)close_range(4, ~0U, 0);
	vo_worker_run(3, n->areas, v->facts.kind, v->size, v->writable);
}

static const struct vo_engine native_engine;

int
vo_native_start(struct vo *v, struct err *e)
{
	struct native *n = mem_array(1, sizeof(*n), e);
	const struct timeval silence = { .tv_sec = SILENCE_S };
	int pair[2];
	void *areas;

	if (n == NULL)
		return -1;
	n->sock = -1;
	v->own = n;
	v->engine = &native_engine;
	areas = mmap(NULL, VO_AREAS, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (areas == MAP_FAILED)
		return err_sys(e, "shared memory");
	n->areas = areas;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socket pair");
	n->sock = pair[0];
	if (setsockopt(n->sock, SOL_SOCKET, SO_RCVTIMEO, &silence,
		       sizeof(silence)) < 0) {
		(void)close(pair[1]);
		return err_sys(e, "socket pair");
	}
	n->pid = fork();
	if (n->pid == 0)
		become_worker(pair[1], n, v);
	(void)close(pair[1]);
	return n->pid < 0 ? err_sys(e, "fork") : 0;
}

/* ---- messages ------------------------------------------------------------- */

static int
gone(struct vo *v, const char *how, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s: its reader %s; the volume is "
		       "probably damaged: run chkdsk in Windows", v->name, how);
}

static int
send_message(struct vo *v, const struct vo_message *m, struct err *e)
{
	const struct native *n = v->own;
	ssize_t sent;

	do
		sent = send(n->sock, m, sizeof(*m), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)sizeof(*m) ? 0 : gone(v, "ended", e);
}

static int
get_message(struct vo *v, struct vo_message *ret, struct err *e)
{
	const struct native *n = v->own;
	ssize_t got;

	do
		got = recv(n->sock, ret, sizeof(*ret), 0);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return gone(v, "does not answer", e);
	return got == (ssize_t)sizeof(*ret) ? 0 : gone(v, "ended", e);
}

/* The worker wants sectors, or has some. */
static int
serve_sectors(struct vo *v, const struct vo_message *m, struct err *e)
{
	struct native *n = v->own;
	uint8_t *io = n->areas + VO_AREA_CALL;
	struct vo_message done = { .what = VO_WIRE_DONE };
	struct err why = ERR_INIT;
	int r;

	if (m->len > VO_AREA_IO || !num_in_range(m->at, m->len, v->size))
		return gone(v, "left the partition", e);
	if (m->what == VO_WIRE_READ)
		r = dk_read(v->disk, io, m->len, v->at + m->at, &why);
	else if (v->writable)
		r = dk_write(v->disk, io, m->len, v->at + m->at, &why);
	else
		return gone(v, "wrote to a volume that is only read", e);
	if (r < 0 && n->io.kind == ERR_NONE)
		n->io = why;
	done.status = r;
	done.os = why.kind == ERR_SYSTEM ? (uint32_t)why.os : EIO;
	return send_message(v, &done, e);
}

/* Until the worker answers. */
static int
wait_answer(struct vo *v, struct vo_message *ret, struct err *e)
{
	for (;;) {
		if (get_message(v, ret, e) < 0)
			return -1;
		if (ret->what == VO_WIRE_READ || ret->what == VO_WIRE_WRITE) {
			if (serve_sectors(v, ret, e) < 0)
				return -1;
			continue;
		}
		if (ret->what != VO_WIRE_ANSWER || ret->len > VO_AREA_CALL ||
		    ret->size > VO_ANSWER_MAX)
			return gone(v, "talks nonsense", e);
		return 0;
	}
}

/* Copy out the answer, fetching what did not fit. */
static int
take_answer(struct vo *v, struct vo_message *m, struct buf *answer,
	    struct err *e)
{
	const struct native *n = v->own;
	uint64_t size = m->size;

	for (;;) {
		buf_bytes(answer, n->areas, m->len);
		if (buf_ok(answer, e) < 0)
			return -1;
		if (answer->len == size)
			return 0;
		if (m->len == 0 || answer->len > size)
			return gone(v, "talks nonsense", e);
		*m = (struct vo_message){ .what = VO_WIRE_MORE,
					  .at = answer->len };
		if (send_message(v, m, e) < 0 || wait_answer(v, m, e) < 0)
			return -1;
	}
}

/* The worker's error: its text is untrusted. */
static int
foreign_error(struct vo *v, const struct vo_message *m, const struct buf *text,
	      struct err *e)
{
	const struct native *n = v->own;
	char quoted[600];
	enum err_kind kind = m->kind > ERR_NONE && m->kind <= ERR_INTERRUPTED
			   ? (enum err_kind)m->kind : ERR_CORRUPT;

	if (n->io.kind != ERR_NONE) {
		*e = n->io;
		return -1;
	}
	(void)err_quote(quoted, sizeof(quoted), text->at, text->len);
	(void)err_set(e, kind, "%s", quoted);
	e->os = kind == ERR_SYSTEM ? (int)(m->os & 0xffff) : 0;
	return -1;
}

static int
native_serve(struct vo *v, const struct vo_request *q, struct buf *answer,
	     struct err *e)
{
	struct native *n = v->own;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;
	struct vo_message m = { .what = VO_WIRE_CALL };

	if (vo_wire_encode(q, &bytes, e) < 0)
		return -1;
	n->io = (struct err)ERR_INIT;
	memcpy(n->areas, bytes.at, bytes.len);
	m.len = (uint32_t)bytes.len;
	if (send_message(v, &m, e) < 0 || wait_answer(v, &m, e) < 0)
		return -1;
	struct vo_message first = m;

	if (take_answer(v, &m, answer, e) < 0)
		return -1;
	if (first.status < 0)
		return foreign_error(v, &first, answer, e);
	return first.status > 0;
}

static const struct vo_engine native_engine = {
	.serve = native_serve,
	.free = native_free,
};
