/* proc.c - see proc.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/sandbox.h"
#include "base/scope.h"
#include "base/stop.h"

enum {
	WORDS_MAX = 400,
	SAID_MAX = 64 << 10,	/* of what is dropped */
	FILE_FD = 3,		/* PROC_FILE */
	EXIT_NOT_FOUND = 127,
};

/* The one file of a program that is shut in, and its environment. */
struct one_file {
	int fd;
	const char *const *env;
};

/* A running child and our ends of its three pipes. */
struct child {
	pid_t pid;		/* 0 when reaped */
	int in, out, err;	/* -1 when closed */
	char words[WORDS_MAX];	/* the last of its standard error */
	size_t words_len;
	const struct one_file *file;	/* NULL: not shut in */
};

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void
child_done(struct child *c)
{
	shut(&c->in);
	shut(&c->out);
	shut(&c->err);
	if (c->pid > 0) {
		(void)kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	c->pid = 0;
}

#define CHILD_SCOPED SCOPED(child_done)

union words {
	const char *const *in;
	char *const *out;
};

/* In the child: the other descriptors end with exec. */
static void
become_shut_in(const char *const *argv, const struct one_file *f)
{
	union words words = { .in = argv }, env = { .in = f->env };
	struct err e = ERR_INIT;

	if (dup2(f->fd, FILE_FD) >= 0 && fcntl(FILE_FD, F_SETFD, 0) == 0 &&
	    sandbox_one_file(FILE_FD, &e) == 0)
		(void)execve(words.out[0], words.out, env.out);
}

/* In the child, between fork and exec: only async-signal-safe calls, but for what
 * libseccomp does. */
static _Noreturn void
become(const char *const *argv, const struct one_file *f, int in, int out,
       int err)
{
	union words words = { .in = argv };

	(void)setpgid(0, 0);
	if (in < 0)
		in = open("/dev/null", O_RDONLY);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(err, STDERR_FILENO) >= 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		if (f != NULL)
			become_shut_in(argv, f);
		else
			(void)execvp(words.out[0], words.out);
	}
	_exit(EXIT_NOT_FOUND);
}

static int
start(struct child *c, const char *const *argv, bool with_in, struct err *e)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	int r = 0;

	if ((with_in && pipe2(in, O_CLOEXEC) < 0) || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(err, O_CLOEXEC) < 0 || (c->pid = fork()) < 0) {
		c->pid = 0;
		r = err_sys(e, "%s", argv[0]);
	} else if (c->pid == 0) {
		become(argv, c->file, in[0], out[1], err[1]);
	}
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	shut(&in[0]);
	shut(&out[1]);
	shut(&err[1]);
	if (c->in >= 0)
		(void)fcntl(c->in, F_SETFL, O_NONBLOCK);
	return r;
}

/* Feed standard input as far as the pipe takes it. */
static void
feed(struct child *c, const uint8_t **in, size_t *left)
{
	ssize_t n = *left > 0 ? write(c->in, *in, *left) : 0;

	if (n > 0) {
		*in += n;
		*left -= (size_t)n;
	}
	if (*left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		shut(&c->in);
}

/* Keep the last words of standard error. */
static void
listen_to(struct child *c)
{
	char piece[WORDS_MAX];
	ssize_t n = read(c->err, piece, sizeof(piece) - 1);
	size_t len, keep;

	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			shut(&c->err);
		return;
	}
	len = (size_t)n;
	keep = c->words_len;
	if (keep + len > sizeof(c->words) - 1)
		keep = sizeof(c->words) - 1 - len;
	memmove(c->words, c->words + (c->words_len - keep), keep);
	memcpy(c->words + keep, piece, len);
	c->words_len = keep + len;
}

static int
collect(struct child *c, const char *prog, struct buf *out, size_t out_max,
	struct err *e)
{
	uint8_t piece[65536];
	ssize_t n = read(c->out, piece, sizeof(piece));

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0) {
		shut(&c->out);
		return 0;
	}
	if (out->len + (size_t)n > out_max)
		return err_set(e, ERR_SYSTEM, "%s: said more than %zu bytes",
			       prog, out_max);
	buf_bytes(out, piece, (size_t)n);
	return buf_ok(out, e);
}

/* Serve the pipes until all are closed or time is up. */
static int
converse(struct child *c, const char *prog, const uint8_t *in, size_t in_len,
	 struct buf *out, size_t out_max, uint64_t until, struct err *e)
{
	while (c->out >= 0 || c->err >= 0) {
		struct pollfd fds[] = {
			{ .fd = c->in, .events = POLLOUT },
			{ .fd = c->out, .events = POLLIN },
			{ .fd = c->err, .events = POLLIN },
		};
		uint64_t now = clock_ms();

		if (stop_check(e) < 0)
			return -1;
		if (now >= until)
			return err_set(e, ERR_SYSTEM, "%s: ran out of time", prog);
		if (poll(fds, 3, until - now > 500 ? 500 : (int)(until - now)) < 0 &&
		    errno != EINTR)
			return err_sys(e, "%s", prog);
		if (c->in >= 0 && fds[0].revents != 0)
			feed(c, &in, &in_len);
		if (c->out >= 0 && fds[1].revents != 0 &&
		    collect(c, prog, out, out_max, e) < 0)
			return -1;
		if (c->err >= 0 && fds[2].revents != 0)
			listen_to(c);
	}
	return 0;
}

static int
run(const char *const *argv, const void *in, size_t in_len, struct buf *out,
    size_t out_max, unsigned timeout_ms, struct child *c, int *ret_status,
    struct err *e)
{
	int status;

	if (!proc_found(argv[0]))
		return err_set(e, ERR_UNSUPPORTED, "%s: is not installed",
			       argv[0]);
	if (start(c, argv, in != NULL, e) < 0 ||
	    converse(c, argv[0], in, in_len, out, out_max,
		     clock_ms() + timeout_ms, e) < 0)
		return -1;
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "%s", argv[0]);
	c->pid = 0;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
					    WEXITSTATUS(status);
	return 0;
}

#define CHILD_EMPTY { .in = -1, .out = -1, .err = -1 }

int
proc_run(const char *const *argv, const void *in, size_t in_len,
	 struct buf *out, size_t out_max, unsigned timeout_ms, int *ret_status,
	 struct err *e)
{
	CHILD_SCOPED struct child c = CHILD_EMPTY;

	return run(argv, in, in_len, out, out_max, timeout_ms, &c, ret_status, e);
}

/* Run the child, whose status must be 0. */
static int
must(const char *const *argv, const void *in, size_t in_len, struct buf *out,
     size_t out_max, unsigned timeout_ms, struct child *c, struct err *e)
{
	char said[2 * WORDS_MAX];
	int status = 0;

	if (run(argv, in, in_len, out, out_max, timeout_ms, c, &status, e) < 0)
		return -1;
	if (status == 0)
		return 0;
	while (c->words_len > 0 && c->words[c->words_len - 1] == '\n')
		c->words_len--;
	return err_set(e, ERR_SYSTEM, "%s: ended with status %d: %s", argv[0],
		       status, err_quote(said, sizeof(said), c->words,
					 c->words_len));
}

int
proc_must(const char *const *argv, const void *in, size_t in_len,
	  struct buf *out, size_t out_max, unsigned timeout_ms, struct err *e)
{
	CHILD_SCOPED struct child c = CHILD_EMPTY;

	return must(argv, in, in_len, out, out_max, timeout_ms, &c, e);
}

int
proc_on_file(const char *const *argv, const char *const *env, int fd,
	     const void *in, size_t in_len, unsigned timeout_ms, struct err *e)
{
	const struct one_file file = { .fd = fd, .env = env };
	CHILD_SCOPED struct child c = CHILD_EMPTY;
	BUF_SCOPED struct buf said = BUF_EMPTY;

	c.file = &file;
	return must(argv, in, in_len, &said, SAID_MAX, timeout_ms, &c, e);
}

bool
proc_found(const char *program)
{
	const char *path = getenv("PATH");
	char full[4096];

	if (strchr(program, '/') != NULL)
		return access(program, X_OK) == 0;
	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");

		if (n + strlen(program) + 2 <= sizeof(full)) {
			(void)snprintf(full, sizeof(full), "%.*s/%s", (int)n,
				       path, program);
			if (access(full, X_OK) == 0)
				return true;
		}
		path += n + (path[n] == ':');
	}
	return false;
}
