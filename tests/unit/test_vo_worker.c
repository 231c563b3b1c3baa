/* test_vo_worker.c - what a volume's process still can do: nothing
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A build of the real worker in which the reader of NTFS is replaced by one that
 * has been taken over: it tries what it is asked to try, from where libntfs-3g
 * works otherwise, and tells the errno.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypt/secret.h"
#include "disk/disk.h"
#include "volume/native.h"
#include "volume/volume.h"

/* ---- what is tried -------------------------------------------------------- */

static struct cx_secret key;	/* made before the worker is */
static pid_t parent;

static long
try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long
try_create(void)
{
	return open("/tmp/halcyon-escaped", O_WRONLY | O_CREAT, 0600);
}

static long
try_proc(void)
{
	return open("/proc/self/mem", O_RDWR);
}

static long
try_unlink(void)
{
	return unlink("/tmp/halcyon-not-there");
}

static long
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
try_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long
try_fork(void)
{
	return syscall(SYS_fork);
}

static long
try_clone(void)
{
	return syscall(SYS_clone, 0, 0, 0, 0, 0);
}

static long
try_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
try_trace(void)
{
	return ptrace(PTRACE_ATTACH, parent, NULL, NULL);
}

static long
try_peek(void)
{
	char c;
	struct iovec here = { .iov_base = &c, .iov_len = 1 };
	struct iovec there = { .iov_base = key.at, .iov_len = 1 };

	return process_vm_readv(parent, &here, 1, &there, 1, 0);
}

static long
try_kill(void)
{
	return kill(parent, 0);
}

static long
try_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long
try_ring(void)
{
	struct io_uring_params p = { .flags = 0 };

	return syscall(SYS_io_uring_setup, 1, &p);
}

static long
try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static const struct attempt {
	const char *name;
	long (*run)(void);
} attempts[] = {
	{ "open", try_open }, { "create", try_create }, { "proc", try_proc },
	{ "unlink", try_unlink }, { "socket", try_socket },
	{ "unix", try_unix }, { "exec", try_exec }, { "fork", try_fork },
	{ "clone", try_clone }, { "traced", try_traced },
	{ "trace", try_trace }, { "peek", try_peek }, { "kill", try_kill },
	{ "mount", try_mount }, { "ring", try_ring }, { "prctl", try_prctl },
};

enum { ATTEMPTS = sizeof(attempts) / sizeof(*attempts) };

/* Bytes of the key that are there to be seen. */
static int
key_bytes(void)
{
	int n = 0;

	for (size_t i = 0; i < key.len; i++)
		n += key.at[i] != 0;
	return n;
}

/* ---- the reader that was taken over --------------------------------------- */

struct vo_native *
vo_native_new(struct vo_worker *w, uint64_t size, bool writable, struct err *e)
{
	struct vo_native *n = mem_array(1, sizeof(*n), e);

	(void)w;
	(void)size;
	(void)writable;
	return n;
}

int
vo_native_serve(struct vo_native *n, const struct vo_request *q,
		struct buf *answer, struct err *e)
{
	(void)n;
	(void)e;
	if (q->op == VO_OP_MOUNT) {
		buf_zeros(answer, 5 + 8 + 4);	/* facts */
		return 0;
	}
	if (strcmp(q->path, "key") == 0) {
		buf_fmt(answer, "%d", key_bytes());
		return 1;
	}
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (strcmp(q->path, attempts[i].name) == 0) {
			errno = 0;
			buf_fmt(answer, "%s", attempts[i].run() >= 0
				? "it works" : strerrorname_np(errno));
		}
	return 1;
}

/* ---- tests ---------------------------------------------------------------- */

/* A disk with a boot sector is all that the parent looks at. */
static uint8_t disk[64 << 10];

static struct vo *
open_volume(struct dk *d)
{
	struct err e = ERR_INIT;
	struct vo *v = vo_open(d, 0, sizeof(disk), 0, &e);

	if (v == NULL)
		fail_msg("%s", e.msg);
	return v;
}

static void
refused(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = dk_over_bytes("disk", disk, sizeof(disk), &e);
	VO_SCOPED struct vo *v = open_volume(d);

	(void)state;
	for (size_t i = 0; i < ATTEMPTS; i++) {
		SCOPED_FREE char *got = NULL;

		assert_int_equal(vo_spelling(v, attempts[i].name, &got, &e), 1);
		if (strcmp(got, "EPERM") != 0)
			fail_msg("%s: %s", attempts[i].name, got);
	}
}

static void
no_keys(void **state)
{
	struct err e = ERR_INIT;
	DK_SCOPED struct dk *d = dk_over_bytes("disk", disk, sizeof(disk), &e);
	VO_SCOPED struct vo *v = open_volume(d);
	SCOPED_FREE char *got = NULL;

	(void)state;
	assert_true(key_bytes() > 16);
	assert_int_equal(vo_spelling(v, "key", &got, &e), 1);
	assert_string_equal(got, "0");
}

static int
enter(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	memcpy(disk + 3, "NTFS    ", 8);
	disk[12] = 2;		/* 512 bytes a sector */
	disk[13] = 8;		/* sectors a cluster */
	disk[40] = sizeof(disk) / 512;
	disk[64] = 0xf6;	/* records of 1024 bytes */
	disk[510] = 0x55;
	disk[511] = 0xaa;
	parent = getpid();
	return cx_secret_random(&key, 32, &e);
}

static int
leave(void **state)
{
	(void)state;
	cx_secret_done(&key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(no_keys),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
