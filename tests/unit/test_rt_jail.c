/* test_rt_jail.c - what a process in the jail can still do: nothing
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The jail runs a program, so this test is its own prisoner: started with an
 * argument, it tries to get out, and its exit status says what it managed.
 * Each rung that this machine has is tried.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "base/scope.h"
#include "runtime/jail.h"

static char self[PATH_MAX];
static char dir[] = "/tmp/halcyon-jail.XXXXXX";
static char root[64], work[64], secret[64], socket_path[64];
static const char treasure[] = "what only one of them has";

/* ---- the prisoner: exit status 0, or the number of what it managed ---- */

static int
can_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&a,
				  sizeof(a)) == 0;
}

static int
can_reach_tcp(in_port_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&a,
				  sizeof(a)) == 0;
}

/* Any socket that leaves this machine, or could. */
static bool
can_make_socket(void)
{
	static const struct { int family, type; } all[] = {
		{ AF_INET, SOCK_STREAM }, { AF_INET, SOCK_DGRAM },
		{ AF_INET6, SOCK_DGRAM }, { AF_INET, SOCK_RAW },
		{ AF_PACKET, SOCK_RAW }, { AF_NETLINK, SOCK_RAW },
		{ AF_VSOCK, SOCK_STREAM },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (socket(all[i].family, all[i].type, 0) >= 0)
			return true;
	return false;
}

/* Memory of another process: what it has, by every way there is. */
static bool
can_look_into(pid_t pid, uintptr_t at)
{
	char got[sizeof(treasure)] = "", path[64];
	struct iovec to = { .iov_base = got, .iov_len = sizeof(got) };
	struct iovec from = { .iov_len = sizeof(got) };

	memcpy(&from.iov_base, &at, sizeof(at));
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) > 0)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (open(path, O_RDONLY) >= 0)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, RT_FD_FIRST);
	if (open(path, O_RDONLY) >= 0)
		return true;
	int other = (int)syscall(SYS_pidfd_open, pid, 0);
	if (other >= 0 && syscall(SYS_pidfd_getfd, other, RT_FD_FIRST, 0) >= 0)
		return true;
	return kill(pid, 0) == 0 || ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
}

/* argv: spy RUNG PID ADDRESS FILE SOCKET */
static int
spy(char **argv)
{
	pid_t pid = (pid_t)strtol(argv[3], NULL, 10);

	if (can_look_into(pid, (uintptr_t)strtoull(argv[4], NULL, 16)))
		return 1;
	if (open(argv[5], O_RDONLY) >= 0)
		return 2;
	if (strcmp(argv[2], "landlock") != 0 && can_connect(argv[6]))
		return 3;
	return 0;
}

/* argv: out RUNG SECRET SOCKET PORT PARENT */
static int
break_out(char **argv)
{
	bool spaces = strcmp(argv[2], "landlock") != 0;
	pid_t parent = (pid_t)strtol(argv[6], NULL, 10);
	struct rlimit core;

	if (fcntl(RT_FD_FIRST, F_GETFD) < 0)	/* it was given this one */
		return 11;
	for (int fd = RT_FD_FIRST + 1; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 12;
	if (open("/etc/passwd", O_RDONLY) >= 0)
		return 1;
	if (open(argv[3], O_RDONLY) >= 0)
		return 2;
	if (open("escaped", O_WRONLY | O_CREAT, 0600) >= 0)
		return 3;
	if (can_reach_tcp((in_port_t)strtol(argv[5], NULL, 10)))
		return 4;
	if (spaces && can_connect(argv[4]))
		return 5;
	if (can_make_socket())
		return 13;
	if (spaces && access("/usr/bin", F_OK) == 0)
		return 6;
	if (kill(parent, 0) == 0)
		return 7;
	if (mount("tmpfs", "/", "tmpfs", 0, NULL) == 0)
		return 8;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 9;
	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
		return 10;
	return 0;
}

/* ---- the test ---- */

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(root, sizeof(root), "%s/root", dir);
	(void)snprintf(work, sizeof(work), "%s/work", dir);
	(void)snprintf(secret, sizeof(secret), "%s/secret", dir);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	int fd = open(secret, O_WRONLY | O_CREAT, 0644);
	return fd < 0 || close(fd) < 0 || mkdir(root, 0700) < 0 ||
	       mkdir(work, 0700) < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(secret);
	(void)unlink(socket_path);
	(void)rmdir(root);
	(void)rmdir(work);
	return rmdir(dir);
}

static int
listen_unix(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	(void)unlink(socket_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int
listen_tcp(in_port_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* Start the prisoner on this rung; -1 when there is no such rung. */
static int
lock_up(enum rt_rung rung, char **argv, pid_t *pid, struct err *e)
{
	const struct rt_path paths[] = {
		{ "/usr/lib", RT_READ | RT_EXEC },
		{ "/usr/lib64", RT_READ | RT_EXEC },
		{ "/lib", RT_READ | RT_EXEC },
		{ "/lib64", RT_READ | RT_EXEC },
		{ "/etc/ld.so.cache", RT_READ },
		{ self, RT_READ | RT_EXEC },
		{ work, RT_READ },
	};
	SCOPED_FD int null = open("/dev/null", O_RDWR);
	const struct rt_spawn s = {
		.what = "prisoner", .argv = argv, .fds = &null, .fd_count = 1,
		.log = 2, .paths = paths,
		.path_count = sizeof(paths) / sizeof(paths[0]),
		.dir = work, .root = root,
	};

	return rt_spawn(&s, rung, pid, e);
}

static int
exit_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The prisoner's exit status on this rung; -1 when there is no such rung. */
static int
imprison(enum rt_rung rung, in_port_t port, struct err *e)
{
	char port_text[16], parent[16], rung_text[32];
	char *argv[] = { self, (char []){ "out" }, rung_text, secret,
			 socket_path, port_text, parent, NULL };
	pid_t pid;

	(void)snprintf(port_text, sizeof(port_text), "%u", port);
	(void)snprintf(parent, sizeof(parent), "%d", getpid());
	(void)snprintf(rung_text, sizeof(rung_text), "%s", rt_rung_words[rung]);
	return lock_up(rung, argv, &pid, e) < 0 ? -1 : exit_status(pid);
}

static void
test_escape(void **state)
{
	in_port_t port;
	SCOPED_FD int unix_fd = listen_unix();
	SCOPED_FD int tcp_fd = listen_tcp(&port);
	int tried = 0;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	return;		/* its runtime does not start without /proc */
#endif
	for (int rung = 0; rung < RT_RUNGS; rung++) {
		struct err e = ERR_INIT;
		int managed = imprison((enum rt_rung)rung, port, &e);

		if (managed < 0) {
			print_message("no %s here: %s\n", rt_rung_words[rung],
				      e.msg);
			continue;
		}
		if (managed != 0)
			fail_msg("%s: broke out by way %d", rt_rung_words[rung],
				 managed);
		tried++;
	}
	assert_true(tried > 0);
	(void)unix_fd;
	(void)tcp_fd;
}

/* Two prisoners of the same user: one has something, the other looks for it. */
static void
test_neighbours(void **state)
{
	SCOPED_FD int unix_fd = listen_unix();

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	return;		/* its runtime does not start without /proc */
#endif
	for (int rung = 0; rung < RT_RUNGS; rung++) {
		char rung_text[32], pid_text[16], at[32];
		char *owner[] = { self, (char []){ "own" }, NULL };
		char *looker[] = { self, (char []){ "spy" }, rung_text, pid_text,
				   at, secret, socket_path, NULL };
		struct err e = ERR_INIT;
		pid_t has, looks;

		if (lock_up((enum rt_rung)rung, owner, &has, &e) < 0) {
			print_message("no %s here: %s\n", rt_rung_words[rung],
				      e.msg);
			continue;
		}
		(void)snprintf(rung_text, sizeof(rung_text), "%s",
			       rt_rung_words[rung]);
		(void)snprintf(pid_text, sizeof(pid_text), "%d", has);
		(void)snprintf(at, sizeof(at), "%zx", (size_t)treasure);
		int r = lock_up((enum rt_rung)rung, looker, &looks, &e);
		int managed = r < 0 ? -1 : exit_status(looks);
		(void)kill(has, SIGKILL);
		(void)waitpid(has, NULL, 0);
		if (managed != 0)
			fail_msg("%s: a prisoner got at its neighbour by way %d",
				 rt_rung_words[rung], managed);
	}
	(void)unix_fd;
}

/* The same ways work without a jail: else the tests above prove nothing. */
static void
test_ways_exist(void **state)
{
	in_port_t port;
	SCOPED_FD int unix_fd = listen_unix();
	SCOPED_FD int tcp_fd = listen_tcp(&port);

	(void)state;
	assert_true(can_connect(socket_path));
	assert_true(can_reach_tcp(port));
	assert_int_equal(access(secret, R_OK), 0);
	assert_true(can_make_socket());
	assert_true(can_look_into(getpid(), (uintptr_t)treasure));
	(void)unix_fd;
	(void)tcp_fd;
}

static void
test_best(void **state)
{
	struct err e = ERR_INIT;
	enum rt_rung rung;

	(void)state;
	if (rt_jail_best(root, &rung, &e) < 0)
		fail_msg("%s", e.msg);
}

/* A program that is not there is told, with no process left behind. */
static void
test_no_program(void **state)
{
	char *argv[] = { (char []){ "/nowhere/program" }, NULL };
	const struct rt_path paths[] = { { "/usr/lib", RT_READ | RT_EXEC } };
	const struct rt_spawn s = {
		.what = "nothing", .argv = argv, .log = 2, .paths = paths,
		.path_count = 1, .root = root,
	};
	struct err e = ERR_INIT;
	pid_t pid = 77;

	(void)state;
	assert_int_equal(rt_spawn(&s, RT_RUNG_LANDLOCK, &pid, &e), -1);
	assert_int_equal(e.os, ENOENT);
	assert_int_equal(pid, 77);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* What a block server still can, and no longer can, once it serves. */
static int
trimmed(void)
{
	char *argv[] = { (char []){ "/bin/true" }, NULL };
	struct err e = ERR_INIT;

	if (sandbox_trim(&e) < 0)
		return 1;
	if (open("/dev/null", O_RDWR) < 0)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		return 3;
	if (kill(getppid(), 0) == 0)
		return 4;
	if (unshare(CLONE_NEWUSER) == 0)
		return 5;
	(void)execv(argv[0], argv);
	return errno == EPERM ? 0 : 6;
}

static void
test_trim(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(trimmed());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways_exist),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_trim),
	};

	if (argc == 7 && strcmp(argv[1], "out") == 0)
		return break_out(argv);
	if (argc == 7)
		return spy(argv);
	if (argc == 2)
		return pause();
	if (realpath("/proc/self/exe", self) == NULL)
		return 1;
	return cmocka_run_group_tests_name("jail", tests, setup, teardown);
}
