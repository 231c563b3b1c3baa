/* jail.c - a process that sees only what it was given
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/scope.h"
#include "runtime/jail-private.h"

const char *const rt_rung_words[] = { "user namespace", "root namespaces",
				      "landlock" };

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)
#define FD_MAX 64	/* handed over, and more than enough */

/* What the child says when it fails before exec. */
struct failure {
	const char *step;	/* a constant: the same address in the parent */
	int os;
};

static int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, (size_t)len);
	(void)close(fd);
	return n == len ? 0 : -1;
}

/* Our own user becomes nobody inside: a name without any power. */
static int
map_user(uid_t uid, gid_t gid)
{
	char text[64];

	if (put("/proc/self/setgroups", "deny") < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "65534 %u 1", uid);
	if (put("/proc/self/uid_map", text) < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "65534 %u 1", gid);
	return put("/proc/self/gid_map", text);
}

/* Root without any capability, now and after exec. */
static int
drop_root(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { { .effective = 0 } };

	if (setgroups(0, NULL) < 0 ||
	    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
		  SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
		  SECBIT_NO_CAP_AMBIENT_RAISE |
		  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, 0, 0, 0) < 0)
		return -1;
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	return (int)syscall(SYS_capset, &head, none);
}

/*
 * Descriptors to their numbers; the pipe to the parent right behind them.  They
 * go up first, so that none is overwritten before its turn.
 */
static int
place_fds(const struct rt_spawn *s, int *tell)
{
	int high[FD_MAX];
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int last = RT_FD_FIRST + (int)s->fd_count;

	if (in < 0 || s->fd_count >= FD_MAX)
		return -1;
	for (size_t i = 0; i < s->fd_count; i++) {
		high[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, 3 * FD_MAX);
		if (high[i] < 0)
			return -1;
	}
	int log = fcntl(s->log, F_DUPFD_CLOEXEC, 3 * FD_MAX);
	int pipe = fcntl(*tell, F_DUPFD_CLOEXEC, 3 * FD_MAX);
	if (log < 0 || pipe < 0 || dup2(in, 0) < 0 || dup2(log, 1) < 0 ||
	    dup2(log, 2) < 0)
		return -1;
	for (size_t i = 0; i < s->fd_count; i++)
		if (dup2(high[i], RT_FD_FIRST + (int)i) < 0)
			return -1;
	if (dup3(pipe, last, O_CLOEXEC) < 0)
		return -1;
	*tell = last;
	return close_range((unsigned)last + 1, ~0U, 0);
}

static int
set_limits(const struct rt_spawn *s)
{
	struct rlimit none = { 0, 0 };
	struct rlimit size = { s->file_max, s->file_max };

	/* A full log must not end the process that writes it. */
	if (s->file_max != 0 && (signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
				 setrlimit(RLIMIT_FSIZE, &size) < 0))
		return -1;
	return setrlimit(RLIMIT_CORE, &none);
}

/* Die with the parent, also when it has died already: then nobody holds the
 * other end of the pipe. */
static int
die_with_parent(int tell)
{
	struct pollfd p = { .fd = tell };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR) != 0)
		_exit(1);
	return 0;
}

static int
exec_program(const struct rt_spawn *s)
{
	char pid[32];
	char *env[] = { (char []){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
			(char []){ "LC_ALL=C.UTF-8" },
			NULL, (char []){ "LISTEN_FDS=1" }, NULL };

	if (s->listen) {
		(void)snprintf(pid, sizeof(pid), "LISTEN_PID=%d", getpid());
		env[2] = pid;
	}
	return execve(s->argv[0], s->argv, env);
}

static COLD void
give_up(int tell, const char *step)
{
	struct failure f = { .step = step, .os = errno };

	(void)!write(tell, &f, sizeof(f));
	_exit(127);
}

static int
keep_apart(bool network)
{
	struct err why = ERR_INIT;

	errno = ENOSYS;
	return sandbox_apart(network, &why);
}

static void
child(const struct rt_spawn *s, enum rt_rung rung, uid_t uid, gid_t gid,
      int tell)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(077);
	if (rung == RT_RUNG_USER && map_user(uid, gid) < 0)
		give_up(tell, "map the user");
	if (place_fds(s, &tell) < 0)
		give_up(tell, "hand over descriptors");
	if (rung != RT_RUNG_LANDLOCK && rt_jail_mount(s) < 0)
		give_up(tell, "build its root file system");
	if (s->dir != NULL && chdir(s->dir) < 0)
		give_up(tell, "enter its directory");
	if (set_limits(s) < 0)
		give_up(tell, "set limits");
	if (rung == RT_RUNG_ROOT && drop_root() < 0)
		give_up(tell, "drop root's capabilities");
	if (die_with_parent(tell) < 0)
		give_up(tell, "tie it to its parent");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up(tell, "set no_new_privs");
	if (rt_jail_landlock(s) < 0)
		give_up(tell, "enter Landlock");
	if (keep_apart(s->network) < 0)
		give_up(tell, "keep it apart from other processes");
	if (s->argv == NULL)
		_exit(0);
	(void)exec_program(s);
	give_up(tell, "start it");
}

static pid_t
make_child(enum rt_rung rung, bool network)
{
	unsigned long flags = SIGCHLD;

	if (rung != RT_RUNG_LANDLOCK)
		flags |= NAMESPACES | (network ? 0 : CLONE_NEWNET);
	if (rung == RT_RUNG_USER)
		flags |= CLONE_NEWUSER;
	/* As fork(), but into new namespaces; one thread only, so that what
	 * fork() does beside it is not missed. */
	return (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
}

int
rt_spawn(const struct rt_spawn *s, enum rt_rung rung, pid_t *ret, struct err *e)
{
	struct failure f;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int tell[2];

	if (pipe2(tell, O_CLOEXEC) < 0)
		return err_sys(e, "%s", s->what);
	pid_t pid = make_child(rung, s->network);
	if (pid == 0)
		child(s, rung, uid, gid, tell[1]);
	(void)close(tell[1]);
	if (pid < 0) {
		int r = err_sys(e, "%s: cannot make the process", s->what);

		(void)close(tell[0]);
		return r;
	}
	ssize_t n = read(tell[0], &f, sizeof(f));
	(void)close(tell[0]);
	if (n == (ssize_t)sizeof(f)) {
		(void)waitpid(pid, NULL, 0);
		errno = f.os;
		return err_sys(e, "%s: cannot %s", s->what, f.step);
	}
	*ret = pid;
	return 0;
}

int
rt_jail_best(const char *root, enum rt_rung *ret, struct err *e)
{
	struct err why = ERR_INIT;
	SCOPED_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const struct rt_path paths[] = { { "/usr/lib", RT_READ | RT_EXEC } };
	const struct rt_spawn s = {
		.what = "jail", .log = null, .root = root,
		.paths = paths, .path_count = 1,
	};

	for (int rung = 0; rung < RT_RUNGS; rung++) {
		pid_t pid;
		int status;

		why = (struct err)ERR_INIT;
		if (rt_spawn(&s, (enum rt_rung)rung, &pid, &why) < 0)
			continue;
		if (waitpid(pid, &status, 0) == pid && status == 0) {
			*ret = (enum rt_rung)rung;
			return 0;
		}
	}
	return err_set(e, ERR_UNSUPPORTED, "this kernel cannot confine a guest: "
		       "%s; Linux 5.13 with Landlock is needed", why.msg);
}

char *
rt_program(const char *name, struct err *e)
{
	static const char *const dirs[] = { "/usr/bin", "/usr/sbin",
					    "/usr/local/bin", "/usr/libexec",
					    NULL };

	for (const char *const *d = dirs; *d != NULL; d++) {
		SCOPED_FREE char *path = mem_fmt(e, "%s/%s", *d, name);
		char *whole;

		if (path == NULL)
			return NULL;
		if (access(path, X_OK) < 0)
			continue;
		whole = realpath(path, NULL);
		if (whole != NULL)
			return whole;
	}
	(void)err_set(e, ERR_UNSUPPORTED, "%s: not installed", name);
	return NULL;
}
