/* serve.c - see serve.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nbdkit gets the listening socket, the key and a pipe to answer by as
 * descriptors, so neither key nor socket's name stands on a command line.
 */
#include "imgtool/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/ready.h"
#include "base/scope.h"
#include "base/stop.h"
#include "crypt/key.h"

enum {
	READY_MS = 30000,	/* a first read of a cold repository */
	LEAVE_S = 10,		/* for a server to end when told to */
	QUICK_S = 2,		/* died sooner than this: it will again */
	QUICK_MAX = 5,		/* so many times in a row */
	/* descriptors in the server; the first is where nbdkit looks for it */
	FD_LISTENER = 3, FD_KEY, FD_STATUS, FD_END
};

/* ---- the socket ---------------------------------------------------------- */

/* A listening socket under a name of its own until somebody serves it. */
struct listener {
	int fd;
	char *path, *final;
	bool named;		/* has its final name */
};

#define LISTENER_EMPTY { .fd = -1 }

static void
listener_done(struct listener *l)
{
	if (l->path != NULL)
		(void)unlink(l->named ? l->final : l->path);
	if (l->fd >= 0)
		(void)close(l->fd);
	free(l->path);
	free(l->final);
}

static int
address(const char *path, struct sockaddr_un *ret, struct err *e)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path))
		return err_set(e, ERR_USAGE, "%s: too long for a socket, whose "
			       "path has at most %zu bytes", path,
			       sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, path, strlen(path) + 1);
	return 0;
}

/* Refuse to take the place of anything but a socket that nobody listens on. */
static int
check_free(const char *path, struct err *e)
{
	struct sockaddr_un a;
	struct stat st;

	if (address(path, &a, e) < 0)
		return -1;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: exists, and is no socket",
			       path);
	SCOPED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return err_set(e, ERR_UNSAFE, "%s: somebody serves there "
			       "already", path);
	return 0;
}

static int
listen_at(const char *path, struct listener *l, struct err *e)
{
	struct sockaddr_un a;

	if (check_free(path, e) < 0)
		return -1;
	l->final = mem_str(path, e);
	SCOPED_FREE char *temp = mem_fmt(e, "%s.%ld", path, (long)getpid());
	if (l->final == NULL || temp == NULL || address(temp, &a, e) < 0)
		return -1;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return err_sys(e, "%s", path);
	/* whoever may connect reads the disk in the clear */
	mode_t was = umask(0177);
	int r = bind(l->fd, (const struct sockaddr *)&a, sizeof(a));
	(void)umask(was);
	if (r < 0)
		return err_sys(e, "%s", temp);
	l->path = TAKE(temp);
	return listen(l->fd, 64) < 0 ? err_sys(e, "%s", path) : 0;
}

/* ---- one server ---------------------------------------------------------- */

struct server {
	char *plugin;
	char *repo, *image, *layer;	/* nbdkit's parameters */
	pid_t pid;			/* 0: none */
};

static void
server_done(struct server *x)
{
	if (x->pid > 0) {
		(void)kill(x->pid, SIGKILL);
		while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(x->plugin);
	free(x->repo);
	free(x->image);
	free(x->layer);
}

static int
prepare(const struct serve *s, struct server *x, struct err *e)
{
	if (!proc_found("nbdkit"))
		return err_set(e, ERR_UNSUPPORTED, "nbdkit: is not installed");
	x->plugin = io_module("nbdkit-halcyon-plugin.so", e);
	x->repo = mem_fmt(e, "repo=%s", s->repo);
	x->image = mem_fmt(e, "image=%s", s->version);
	x->layer = s->layer == NULL ? NULL : mem_fmt(e, "layer=%s", s->layer);
	return x->plugin == NULL || x->repo == NULL || x->image == NULL ||
	       (s->layer != NULL && x->layer == NULL) ? -1 : 0;
}

/* In the child: descriptors to their places, then nbdkit; `fds` lie above all
 * of the places. */
static _Noreturn void
become(const struct server *x, const int fds[3])
{
	char word_key[] = "key-fd=4", word_status[] = "status-fd=5";
	char disk[] = "disk=", pid[24];
	char name[] = "nbdkit", lead[] = "--exit-with-parent";
	char threads[] = "--threads=4";	/* of each client */
	char *argv[] = { name, lead, threads, x->plugin, x->repo, word_key,
			 word_status, disk, x->image, x->layer, NULL };
	sigset_t none;

	(void)setpgid(0, 0);	/* ^C is for us, not for it */
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fds[0], FD_LISTENER) >= 0 && dup2(fds[1], FD_KEY) >= 0 &&
	    dup2(fds[2], FD_STATUS) >= 0 && setenv("LISTEN_PID", pid, 1) == 0 &&
	    setenv("LISTEN_FDS", "1", 1) == 0) {
		(void)close_range(FD_END, ~0U, CLOSE_RANGE_CLOEXEC);
		(void)execvp(name, argv);
	}
	_exit(127);
}

/* A descriptor above the places that the server's take. */
static int
lift(int fd, struct err *e)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, FD_END);

	return up < 0 ? err_sys(e, "block server") : up;
}

static int
spawn(struct server *x, int listener, int key, int status, struct err *e)
{
	SCOPED_FD int a = lift(listener, e);
	SCOPED_FD int b = lift(key, e);
	SCOPED_FD int c = lift(status, e);

	if (a < 0 || b < 0 || c < 0)
		return -1;
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "block server");
	if (pid == 0)
		become(x, (const int[]){ a, b, c });
	x->pid = pid;
	return 0;
}

/* Start it and hear what it has to say: "NAME:NUMBER SIZE". */
static int
start(const struct serve *s, struct server *x, int listener,
      char said[READY_TEXT], struct err *e)
{
	int key[2], status[2];

	if (pipe2(key, O_CLOEXEC) < 0)
		return err_sys(e, "block server");
	SCOPED_FD int key_r = key[0], key_w = key[1];
	if (pipe2(status, O_CLOEXEC) < 0)
		return err_sys(e, "block server");
	SCOPED_FD int status_r = status[0], status_w = status[1];
	if (cx_key_give(s->key, key_w, e) < 0 ||
	    spawn(x, listener, key_r, status_w, e) < 0)
		return -1;
	/* ours must be closed, or its death would go unseen */
	(void)close(status_w);
	status_w = -1;
	return ready_await(status_r, READY_MS, "block server", said, e);
}

/* ---- watching it --------------------------------------------------------- */

static time_t
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Tell it to end, and wait a while: a layer is checkpointed now. */
static int
finish(struct server *x, const sigset_t *set, struct err *e)
{
	struct timespec wait = { .tv_sec = LEAVE_S };
	int status;

	(void)kill(x->pid, SIGTERM);
	while (waitpid(x->pid, &status, WNOHANG) == 0)
		if (sigtimedwait(set, NULL, &wait) < 0 && errno == EAGAIN)
			return err_set(e, ERR_SYSTEM, "block server: did not "
				       "end within %d s, and was killed",
				       LEAVE_S);
	x->pid = 0;
	return 0;
}

/* Another one in the place of one that died. */
static int
again(const struct serve *s, struct server *x, int listener, time_t started,
      unsigned *quick, struct err *e)
{
	char said[READY_TEXT];

	x->pid = 0;
	*quick = now() - started < QUICK_S ? *quick + 1 : 0;
	if (*quick == QUICK_MAX)
		return err_set(e, ERR_SYSTEM, "block server: dies again and "
			       "again");
	log_warn("block server: died; another one goes on");
	return start(s, x, listener, said, e);
}

static int
watch(const struct serve *s, struct server *x, int listener,
      const sigset_t *set, struct err *e)
{
	time_t started = now();
	unsigned quick = 0;

	while (!stop_asked()) {
		int signal = 0;

		if (waitpid(x->pid, NULL, WNOHANG) == x->pid) {
			if (again(s, x, listener, started, &quick, e) < 0)
				return -1;
			started = now();
		} else if (sigwait(set, &signal) == 0 && signal != SIGCHLD) {
			break;
		}
	}
	return finish(x, set, e);
}

/* The first one; from here on it is the version it said, whatever NAME comes to
 * mean. */
static int
first(const struct serve *s, struct server *x, int listener,
      char said[READY_TEXT], uint64_t *ret_size, struct err *e)
{
	char *size;

	if (start(s, x, listener, said, e) < 0)
		return -1;
	size = strchr(said, ' ');
	if (size == NULL || !num_parse(size + 1, 0, INT64_MAX, false, ret_size))
		return err_set(e, ERR_CORRUPT, "block server: says nothing "
			       "useful");
	*size = '\0';
	free(x->image);
	x->image = mem_fmt(e, "image=%s", said);
	return x->image == NULL ? -1 : 0;
}

int
serve_run(const struct serve *s, serve_ready_fn ready, struct err *e)
{
	SCOPED(listener_done) struct listener l = LISTENER_EMPTY;
	SCOPED(server_done) struct server x = { .pid = 0 };
	char said[READY_TEXT];
	uint64_t size;
	sigset_t set;

	if (prepare(s, &x, e) < 0 || listen_at(s->socket, &l, e) < 0 ||
	    first(s, &x, l.fd, said, &size, e) < 0)
		return -1;
	(void)sigemptyset(&set);
	for (const int *n = (const int[]){ SIGCHLD, SIGINT, SIGTERM, SIGHUP, 0 };
	     *n != 0; n++)
		(void)sigaddset(&set, *n);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "signals");
	if (rename(l.path, l.final) < 0)
		return err_sys(e, "%s", s->socket);
	l.named = true;
	ready(s, said, size);
	return watch(s, &x, l.fd, &set, e);
}
