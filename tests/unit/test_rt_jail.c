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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* The prisoner's exit status on this rung; -1 when there is no such rung. */
static int
imprison(enum rt_rung rung, in_port_t port, struct err *e)
{
	char port_text[16], parent[16], rung_text[32];
	char *argv[] = { self, (char []){ "out" }, rung_text, secret,
			 socket_path, port_text, parent, NULL };
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
	pid_t pid;
	int status;

	(void)snprintf(port_text, sizeof(port_text), "%u", port);
	(void)snprintf(parent, sizeof(parent), "%d", getpid());
	(void)snprintf(rung_text, sizeof(rung_text), "%s", rt_rung_words[rung]);
	if (rt_spawn(&s, rung, &pid, e) < 0)
		return -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
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

/* The same ways work without a jail: else the test above proves nothing. */
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
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_trim),
	};

	if (argc == 7)
		return break_out(argv);
	if (realpath("/proc/self/exe", self) == NULL)
		return 1;
	return cmocka_run_group_tests_name("jail", tests, setup, teardown);
}
