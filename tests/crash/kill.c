/* kill.c - a preloaded library that ends a program at its nth change of files
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LD_PRELOAD=crash-kill.so KILL_IN=PART KILL_AT=N KILL_MARK=/abs/file PROGRAM...
 *
 * Counts each write, truncation, sync, rename and removal of a file whose path
 * contains PART; before the Nth is done, the process makes the file KILL_MARK and
 * kills itself.  With KILL_HOW=stop it stops instead, until somebody lets it go on.
 * What it forks goes on counting from there; what it starts is not followed into,
 * where its environment is not passed on.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"

#define REAL(name)						\
	static __typeof__(&name) real;				\
	if (real == NULL)					\
		*(void **)(void *)&real = dlsym(RTLD_NEXT, #name)

/* It is this one's turn: leave the mark, and this life. */
static void
end(void)
{
	const char *mark = getenv("KILL_MARK"), *how = getenv("KILL_HOW");
	int fd = mark == NULL ? -1
			      : open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	(void)raise(how != NULL && strcmp(how, "stop") == 0 ? SIGSTOP
							     : SIGKILL);
}

static void
count_path(const char *path)
{
	static long n;
	const char *part = getenv("KILL_IN"), *at = getenv("KILL_AT");

	if (part == NULL || at == NULL || strstr(path, part) == NULL)
		return;
	if (++n == strtol(at, NULL, 10))
		end();
}

static void
count_fd(int fd)
{
	char link[64], path[PATH_MAX];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		count_path(path);
	}
}

EXPORT ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	REAL(pwrite);
	count_fd(fd);
	return real(fd, buf, len, at);
}

EXPORT ssize_t
write(int fd, const void *buf, size_t len)
{
	REAL(write);
	count_fd(fd);
	return real(fd, buf, len);
}

EXPORT int
ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	count_fd(fd);
	return real(fd, size);
}

EXPORT int
fsync(int fd)
{
	REAL(fsync);
	count_fd(fd);
	return real(fd);
}

EXPORT int
fdatasync(int fd)
{
	REAL(fdatasync);
	count_fd(fd);
	return real(fd);
}

EXPORT int
rename(const char *from, const char *to)
{
	REAL(rename);
	count_path(from);
	return real(from, to);
}

/* Names in a directory that is open: the directory's path decides. */
EXPORT int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	REAL(renameat);
	count_fd(from_dir);
	return real(from_dir, from, to_dir, to);
}

EXPORT int
unlink(const char *path)
{
	REAL(unlink);
	count_path(path);
	return real(path);
}

EXPORT int
remove(const char *path)
{
	REAL(remove);
	count_path(path);
	return real(path);
}
