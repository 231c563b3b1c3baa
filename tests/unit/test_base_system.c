/* test_base_system.c - base/io.h, base/pool.h, base/proc.h, base/sandbox.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/proc.h"
#include "base/sandbox.h"

static char dir[] = "/tmp/halcyon-unit.XXXXXX";

static int
enter_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL || chdir(dir) < 0 ? -1 : 0;
}

static int
leave_dir(void **state)
{
	static const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct err e = ERR_INIT;

	(void)state;
	return chdir("/") < 0 || proc_must(argv, NULL, 0, NULL, 0, 9999, &e) < 0;
}

static void
test_a_file_appears_whole_or_not(void **state)
{
	struct err e = ERR_INIT;
	SCOPED_FREE uint8_t *got = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(io_put("f", "old", 3, 0600, &e), 0);
	{
		IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;

		assert_int_equal(io_new_open(&f, "f", 0600, &e), 0);
		assert_int_equal(io_new_write(&f, "half", 4, &e), 0);
	}
	assert_int_equal(io_slurp("f", 100, &got, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(got, "old", 3);
	assert_int_equal(rmdir("."), -1);
	assert_int_equal(io_put("f", "new!", 4, 0600, &e), 0);
	free(got);
	assert_int_equal(io_slurp("f", 100, &got, &n, &e), 0);
	assert_int_equal(n, 4);
	assert_int_equal(io_slurp("f", 3, &got, &n, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
test_short_reads_and_directories(void **state)
{
	struct err e = ERR_INIT;
	char buf[8];

	(void)state;
	assert_int_equal(io_mkdirs("a/b/c", 0700, &e), 0);
	assert_int_equal(io_mkdirs("a/b/c", 0700, &e), 0);
	assert_int_equal(io_put("a/b/c/f", "12345", 5, 0600, &e), 0);
	SCOPED_FD int fd = open("a/b/c/f", O_RDONLY);
	assert_int_equal(io_read_at(fd, buf, 3, 2, "f", &e), 0);
	assert_memory_equal(buf, "345", 3);
	assert_int_equal(io_read_at(fd, buf, 3, 3, "f", &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);

	struct err full = ERR_INIT;
	SCOPED_FD int out = open("/dev/full", O_WRONLY);
	assert_int_equal(io_write_all(out, "x", 1, "out", &full), -1);
	assert_int_equal(full.os, ENOSPC);
}

static _Atomic int ran, dropped;

static int
count_job(void *job, struct err *e)
{
	int n = *(int *)job;

	free(job);
	(void)atomic_fetch_add(&ran, 1);
	return n == 13 ? err_set(e, ERR_AUTH, "unlucky") : 0;
}

static void
drop_job(void *job)
{
	free(job);
	(void)atomic_fetch_add(&dropped, 1);
}

static int
put_jobs(struct pool *p, int from, int to, struct err *e)
{
	for (int i = from; i < to; i++) {
		int *job = mem_array(1, sizeof(*job), e);

		*job = i;
		if (pool_put(p, job, e) < 0)
			return -1;
	}
	return pool_wait(p, e);
}

static void
test_pool_runs_all_or_says_why(void **state)
{
	struct err e = ERR_INIT;
	POOL_SCOPED struct pool *p = pool_new(3, 4, count_job, drop_job, &e);

	(void)state;
	assert_non_null(p);
	assert_int_equal(put_jobs(p, 100, 200, &e), 0);
	assert_int_equal(ran, 100);
	assert_int_equal(put_jobs(p, 0, 500, &e), -1);
	assert_int_equal(e.kind, ERR_AUTH);
	assert_string_equal(e.msg, "unlucky");
	assert_true(ran + dropped <= 600);
}

static void
test_programs_are_bounded(void **state)
{
	static const char *const cat[] = { "cat", NULL };
	static const char *const hang[] = { "sh", "-c", "sleep 60 & wait", NULL };
	static const char *const loud[] = { "sh", "-c",
					    "echo out; echo why >&2; exit 3", NULL };
	static const char *const gone[] = { "no-such-program-here", NULL };
	static char big[200000];
	struct err e[4] = { ERR_INIT, ERR_INIT, ERR_INIT, ERR_INIT };
	BUF_SCOPED struct buf out = BUF_EMPTY;
	int status = -1;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(proc_run(cat, big, sizeof(big), &out, sizeof(big), 9999,
				  &status, &e[0]), 0);
	assert_int_equal(status, 0);
	assert_int_equal(out.len, sizeof(big));
	assert_int_equal(proc_run(cat, big, sizeof(big), &out, 300000, 9999,
				  &status, &e[0]), -1);
	assert_int_equal(proc_run(hang, NULL, 0, &out, 999999, 200, &status,
				  &e[1]), -1);
	assert_non_null(strstr(e[1].msg, "ran out of time"));
	assert_int_equal(proc_must(loud, NULL, 0, &out, 999999, 9999, &e[2]), -1);
	assert_string_equal(e[2].msg, "sh: ended with status 3: why");
	assert_int_equal(proc_run(gone, NULL, 0, &out, 9, 99, &status, &e[3]), -1);
	assert_int_equal(e[3].kind, ERR_UNSUPPORTED);
}

/* What a shut-in process may and may not do; returns the number of the first
 * surprise. */
static int
probe_inside(int inherited)
{
	struct sandbox_state s = { .seccomp = false };
	struct err e = ERR_INIT;
	char byte = 0;

	if (sandbox_enter(0, &s, &e) < 0 || !s.no_new_privs || !s.seccomp)
		return 1;
	if (pread(inherited, &byte, 1, 0) != 1)
		return 2;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return 3;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		return 4;
	if (fork() >= 0)
		return 5;
	(void)execl("/bin/true", "true", (char *)NULL);
	if (kill(getppid(), 0) == 0)
		return 6;
	void *p = malloc(1 << 20);
	if (p == NULL)
		return 7;
	free(p);
	return 0;
}

static void
test_sandbox(void **state)
{
	int status = 0;
	SCOPED_FD int fd = open("/etc/passwd", O_RDONLY);

	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(probe_inside(fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A program for one file opens that and no other, has its own environment and no
 * network. */
static void
test_one_file(void **state)
{
	static const char *const env[] = { "WORD=here", NULL };
	static const char *const own[] = { "/usr/bin/cat", PROC_FILE, NULL };
	static const char *const words[] = {
		"/usr/bin/sh", "-c", "[ \"$WORD$HOME\" = here ] && cat && "
		"echo changed >" PROC_FILE, NULL,
	};
	static const char *const other[] = { "/usr/bin/cat", "/etc/passwd",
					     NULL };
	struct err e = ERR_INIT;
	SCOPED_FD int fd = io_temp_file(&e);
	char is[8] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(proc_on_file(own, env, fd, NULL, 0, 9999, &e), 0);
	assert_int_equal(proc_on_file(words, env, fd, "in", 2, 9999, &e), 0);
	assert_int_equal(pread(fd, is, sizeof(is), 0), 8);
	assert_memory_equal(is, "changed\n", 8);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0)
		return;		/* an old kernel */
	assert_int_equal(proc_on_file(other, env, fd, NULL, 0, 9999, &e), -1);
	assert_non_null(strstr(e.msg, "Permission denied"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_appears_whole_or_not),
		cmocka_unit_test(test_short_reads_and_directories),
		cmocka_unit_test(test_pool_runs_all_or_says_why),
		cmocka_unit_test(test_programs_are_bounded),
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_one_file),
	};

	return cmocka_run_group_tests_name("base system", tests, enter_dir,
					   leave_dir);
}
