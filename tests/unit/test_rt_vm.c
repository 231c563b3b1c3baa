/* test_rt_vm.c - QEMU in its jail: every machine starts, nothing gets out
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The disk is nbdkit's memory plugin at the place of the block server.  What
 * the supervisor's monitor cannot say is said here into the same socket, as
 * somebody would who had taken it over.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "runtime/device.h"
#include "runtime/vm.h"

static char dir[] = "/tmp/halcyon-vm.XXXXXX";
static struct rt_place place;
static char *program;
static pid_t disk;

static pid_t
serve_disk(void)
{
	char *socket = NULL;
	struct err e = ERR_INIT;
	pid_t pid;

	socket = io_join(place.block, "block.sock", &e);
	assert_non_null(socket);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)execlp("nbdkit", "nbdkit", "--foreground", "-U", socket,
			     "-e", "system", "memory", "1M", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && access(socket, F_OK) < 0; i++)
		(void)usleep(10000);
	free(socket);
	return pid;
}

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL || rt_place_of(dir, "g", &place, &e) < 0 ||
	    io_mkdirs(place.root, 0700, &e) < 0 ||
	    io_mkdirs(place.block, 0700, &e) < 0 ||
	    io_mkdirs(place.layers, 0700, &e) < 0)
		return -1;
	if (rt_vm_program(&program, &e) == 0)
		disk = serve_disk();
	return 0;
}

static int
teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (disk > 0) {
		(void)kill(disk, SIGKILL);
		(void)waitpid(disk, NULL, 0);
	}
	int r = rt_stored_remove(&place, &e);
	rt_place_done(&place);
	free(program);
	char *guests = io_join(dir, "guests", &e);
	r |= rmdir(guests);
	free(guests);
	return r | rmdir(dir);
}

/* Start the machine in emulation on a rung; NULL on success, else why not. */
static const char *
start(enum rt_os os, enum rt_disk controller, enum rt_rung rung,
      struct rt_qmp *q, pid_t *pid)
{
	static struct err e;
	const struct rt_stored s = {
		.place = place,
		.guest = { .name = (char []){ "g" }, .os = os,
			   .user = (char []){ "u:1" },
			   .display = os == RT_WIN7 ? RT_DISPLAY_SPICE
						    : RT_DISPLAY_VNC,
			   .sound = true, .clipboard = true,
			   .disk = controller, .net = RT_NET_RESTRICTED,
			   .memory = 256, .cpus = 1 },
		.bound = { .uuid = "01234567-89ab-4cde-8f01-23456789abcd" },
	};

	e = (struct err)ERR_INIT;
	const struct rt_vm vm = { .s = &s, .program = program, .rung = rung,
				  .net = -1, .tpm = -1 };
	if (rt_vm_start(&vm, q, pid, &e) < 0)
		return e.msg;
	return NULL;
}

static void
end(struct rt_qmp *q, pid_t pid)
{
	rt_qmp_done(q);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* Each machine gets through to its first instruction, with each controller. */
static void
test_machines(void **state)
{
	(void)state;
	if (program == NULL)
		return;		/* QEMU is not installed */
	for (int os = RT_XP; os <= RT_WIN11; os++) {
		if (rt_device((enum rt_os)os)->uefi &&
		    rt_device_firmware() == NULL)
			continue;
		for (int c = RT_IDE; c <= RT_NVME; c++) {
			struct rt_qmp q = RT_QMP_EMPTY;
			const char *why;
			pid_t pid;

			if (os != RT_WIN7 &&
			    c != (int)rt_device((enum rt_os)os)->disk)
				continue;
			why = start((enum rt_os)os, (enum rt_disk)c,
				    RT_RUNG_LANDLOCK, &q, &pid);
			if (why != NULL)
				fail_msg("%s, %s: %s", rt_os_words[os],
					 rt_disk_words[c], why);
			end(&q, pid);
		}
	}
}

/* Say a line to the monitor; 1: it was done, 0: refused, -1: QEMU is gone. */
static int
say(struct rt_qmp *q, const char *line)
{
	char answer[65536];
	size_t have = 0;

	if (write(q->fd, line, strlen(line)) < 0)
		return -1;
	for (;;) {
		struct pollfd p = { .fd = q->fd, .events = POLLIN };

		if (poll(&p, 1, 20000) <= 0)
			return -1;
		ssize_t n = read(q->fd, answer + have,
				 sizeof(answer) - 1 - have);
		if (n <= 0)
			return -1;
		have += (size_t)n;
		answer[have] = '\0';
		if (strstr(answer, "\"error\"") != NULL)
			return 0;
		if (strstr(answer, "\"return\"") != NULL)
			return 1;
	}
}

static const struct {
	const char *what, *line;
} ways[] = {
	{ "read a file", "{\"execute\":\"blockdev-add\",\"arguments\":"
	  "{\"driver\":\"file\",\"node-name\":\"x\",\"read-only\":true,"
	  "\"filename\":\"/etc/passwd\"}}\n" },
	{ "reach its own state", "{\"execute\":\"blockdev-add\",\"arguments\":"
	  "{\"driver\":\"file\",\"node-name\":\"x\",\"read-only\":true,"
	  "\"filename\":\"../../journal\"}}\n" },
	{ "dump its memory", "{\"execute\":\"dump-guest-memory\",\"arguments\":"
	  "{\"paging\":false,\"protocol\":\"file:dump\"}}\n" },
	{ "dump its memory elsewhere", "{\"execute\":\"dump-guest-memory\","
	  "\"arguments\":{\"paging\":false,\"protocol\":\"file:/tmp/dump\"}}\n" },
	{ "save its screen", "{\"execute\":\"screendump\",\"arguments\":"
	  "{\"filename\":\"/tmp/screen\"}}\n" },
	{ "listen on the network", "{\"execute\":\"nbd-server-start\","
	  "\"arguments\":{\"addr\":{\"type\":\"inet\",\"data\":"
	  "{\"host\":\"0.0.0.0\",\"port\":\"45001\"}}}}\n" },
	{ "listen on a socket", "{\"execute\":\"nbd-server-start\","
	  "\"arguments\":{\"addr\":{\"type\":\"unix\",\"data\":"
	  "{\"path\":\"server.sock\"}}}}\n" },
	{ "save memory by physical address", "{\"execute\":\"pmemsave\","
	  "\"arguments\":{\"val\":0,\"size\":4096,"
	  "\"filename\":\"/tmp/dump\"}}\n" },
	{ "save memory by address", "{\"execute\":\"memsave\",\"arguments\":"
	  "{\"val\":0,\"size\":4096,\"filename\":\"dump\"}}\n" },
	{ "keep its memory in a file", "{\"execute\":\"object-add\","
	  "\"arguments\":{\"qom-type\":\"memory-backend-file\",\"id\":\"m\","
	  "\"size\":4096,\"mem-path\":\"/tmp/dump\"}}\n" },
	{ "write a file", "{\"execute\":\"chardev-add\",\"arguments\":"
	  "{\"id\":\"c\",\"backend\":{\"type\":\"file\",\"data\":"
	  "{\"out\":\"/tmp/dump\"}}}}\n" },
	{ "make a terminal", "{\"execute\":\"chardev-add\",\"arguments\":"
	  "{\"id\":\"c\",\"backend\":{\"type\":\"pty\",\"data\":{}}}}\n" },
	{ "call by UDP", "{\"execute\":\"chardev-add\",\"arguments\":"
	  "{\"id\":\"c\",\"backend\":{\"type\":\"udp\",\"data\":{\"remote\":"
	  "{\"type\":\"inet\",\"data\":{\"host\":\"127.0.0.1\","
	  "\"port\":\"45001\"}}}}}}\n" },
	{ "call by TCP", "{\"execute\":\"chardev-add\",\"arguments\":"
	  "{\"id\":\"c\",\"backend\":{\"type\":\"socket\",\"data\":"
	  "{\"server\":false,\"addr\":{\"type\":\"inet\",\"data\":"
	  "{\"host\":\"127.0.0.1\",\"port\":\"45001\"}}}}}}\n" },
	{ "use another disk server", "{\"execute\":\"blockdev-add\","
	  "\"arguments\":{\"driver\":\"nbd\",\"node-name\":\"x\",\"server\":"
	  "{\"type\":\"inet\",\"host\":\"127.0.0.1\",\"port\":\"45001\"}}}"
	  "\n" },
	{ "call outside", "{\"execute\":\"migrate\",\"arguments\":"
	  "{\"uri\":\"exec:touch escaped\"}}\n" },
};

/* On each rung, nothing that the monitor can ask of QEMU works.  `exec:` ends
 * QEMU (its filter kills it), which is the last way for that reason. */
static void
test_escape(void **state)
{
	bool tried = false;

	(void)state;
	if (program == NULL)
		return;		/* QEMU is not installed */
	for (int rung = 0; rung < RT_RUNGS; rung++) {
		struct rt_qmp q = RT_QMP_EMPTY;
		pid_t pid;
		const char *why = start(RT_XP, RT_IDE, (enum rt_rung)rung, &q,
					&pid);

		if (why != NULL) {
			print_message("no %s here: %s\n", rt_rung_words[rung],
				      why);
			continue;
		}
		tried = true;
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			int done = say(&q, ways[i].line);

			/* Migration answers before it tries. */
			if (done > 0 && strstr(ways[i].line, "exec:") == NULL)
				fail_msg("%s: QEMU could %s",
					 rt_rung_words[rung], ways[i].what);
		}
		(void)usleep(200000);
		end(&q, pid);
	}
	assert_true(tried);
	char *escaped = NULL;
	struct err e = ERR_INIT;
	static const char *const files[] = { "escaped", "dump", "server.sock" };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		escaped = io_join(place.block, files[i], &e);
		assert_int_equal(access(escaped, F_OK), -1);
		free(escaped);
	}
	assert_int_equal(access("/tmp/dump", F_OK), -1);
	assert_int_equal(access("/tmp/screen", F_OK), -1);
}

/* What QEMU complains of reaches the user. */
static void
test_last_words(void **state)
{
	struct rt_qmp q = RT_QMP_EMPTY;
	struct err e = ERR_INIT;
	pid_t pid;

	(void)state;
	if (program == NULL)
		return;		/* QEMU is not installed */
	char *socket = io_join(place.block, "block.sock", &e);
	char *away = io_join(place.block, "away.sock", &e);
	assert_int_equal(rename(socket, away), 0);
	const char *why = start(RT_XP, RT_IDE, RT_RUNG_LANDLOCK, &q, &pid);
	assert_int_equal(rename(away, socket), 0);
	free(socket);
	free(away);
	assert_non_null(why);
	assert_non_null(strstr(why, "block.sock"));
	rt_qmp_done(&q);
}

/* ---- a QEMU that somebody took over: this test itself, started as it ---- */

static const char *const garbage[] = {
	"no JSON at all\n", "{\"QMP\": {}}\nfull stop.\n", "[]\n", "{}\n",
	"{\"return\": {}}\n", "{\"error\": {\"desc\": 7}}\n", "\n",
	"{\"QMP\": {}}\n{\"return\": {}}\n{\"return\": {\"status\": \"running\"}}\n",
	"",
};

#define GARBAGE (sizeof(garbage) / sizeof(garbage[0]))

/* Which garbage comes with the name of the guest: "-name guest=gN". */
static int
be_qemu(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-name") == 0)
			n = strtoul(argv[i + 1] + strlen("guest=g"), NULL, 10);
	if (n < GARBAGE)
		return write(RT_FD_FIRST, garbage[n], strlen(garbage[n])) < 0;
	/* A line that never ends. */
	for (;;)
		if (write(RT_FD_FIRST, "aaaaaaaaaaaaaaaa", 16) < 0)
			return 1;
}

static void
test_garbage(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	return;		/* its runtime does not start without /proc */
#endif
	char *self = realpath("/proc/self/exe", NULL);
	for (size_t n = 0; n <= GARBAGE; n++) {
		char name[8];
		const struct rt_stored s = {
			.place = place,
			.guest = { .name = name, .os = RT_XP, .disk = RT_IDE,
				   .memory = 64, .cpus = 1 },
			.bound = { .uuid = "01234567-89ab-4cde-8f01-"
					   "23456789abcd" },
		};
		const struct rt_vm vm = { .s = &s, .program = self,
					  .rung = RT_RUNG_LANDLOCK,
					  .net = -1, .tpm = -1 };
		struct rt_qmp q = RT_QMP_EMPTY;
		struct err e = ERR_INIT;
		pid_t pid = 0;

		(void)snprintf(name, sizeof(name), "g%zu", n);
		assert_int_equal(rt_vm_start(&vm, &q, &pid, &e), -1);
		rt_qmp_done(&q);
		if (strchr(e.msg, '\n') != NULL || strstr(e.msg, "QEMU") == NULL)
			fail_msg("%zu: %s", n, e.msg);
		assert_int_equal(pid, 0);
	}
	free(self);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_garbage),
	};

	if (argc > 1)
		return be_qemu(argc, argv);

	return cmocka_run_group_tests_name("vm", tests, setup, teardown);
}
