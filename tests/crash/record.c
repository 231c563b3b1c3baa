/* record.c - a preloaded library that writes down what a program does to files
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * LD_PRELOAD=crash-record.so CRASH_DIR=/abs/dir CRASH_LOG=/abs/log PROGRAM...
 *
 * Every write, truncation, creation, rename, link, removal and sync of a file
 * under CRASH_DIR becomes a record of CRASH_LOG, in the order in which the calls
 * returned; crash.py makes every state of the disk from them in which a power
 * cut could have left it.  A record is: u8 kind, u64 inode, u64 offset, u32 length
 * of the path, u32 length of the data, path, data.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/attr.h"

enum kind {
	CREATE = 'c',	/* path is a new name of inode */
	WRITE = 'w',
	TRUNCATE = 't',	/* offset is the new size */
	RENAME = 'r',	/* data is the new path */
	UNLINK = 'u',
	MKDIR = 'd',
	SYNC = 's',	/* of a file's data and size */
	SYNC_DIR = 'S',	/* of a folder's names */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* With 64-bit offsets the compiler calls the functions below pwrite64, open64 and
 * so on; programs that were built otherwise use the plain names. */
EXPORT ssize_t plain_pwrite(int fd, const void *buf, size_t len, off_t at)
	__asm__("pwrite");
EXPORT int plain_ftruncate(int fd, off_t size) __asm__("ftruncate");
EXPORT int plain_open(const char *name, int flags, ...) __asm__("open");
EXPORT int plain_openat(int dir, const char *name, int flags, ...)
	__asm__("openat");

/* The library's own function behind the one that is preloaded here. */
#define REAL(name)						\
	static __typeof__(&name) real;				\
	if (real == NULL)					\
		*(void **)(void *)&real = dlsym(RTLD_NEXT, #name)

static ssize_t
real_write(int fd, const void *buf, size_t len)
{
	REAL(write);
	return real(fd, buf, len);
}

static int
real_open(const char *path, int flags, mode_t mode)
{
	REAL(open);
	return real(path, flags, mode);
}

static int
log_fd(void)
{
	static int fd = -1;
	const char *path = getenv("CRASH_LOG");

	if (fd < 0 && path != NULL)
		fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			       0600);
	return fd;
}

static bool
is_watched(const char *path)
{
	const char *dir = getenv("CRASH_DIR");
	size_t n = dir == NULL ? 0 : strlen(dir);

	return n > 0 && strncmp(path, dir, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

static void
put(enum kind kind, uint64_t inode, uint64_t at, const char *path,
    const void *data, size_t len)
{
	uint8_t head[25];
	uint32_t path_len = (uint32_t)strlen(path), data_len = (uint32_t)len;

	head[0] = (uint8_t)kind;
	memcpy(head + 1, &inode, 8);
	memcpy(head + 9, &at, 8);
	memcpy(head + 17, &path_len, 4);
	memcpy(head + 21, &data_len, 4);
	(void)pthread_mutex_lock(&lock);
	if (log_fd() < 0 ||
	    real_write(log_fd(), head, sizeof(head)) != sizeof(head) ||
	    real_write(log_fd(), path, path_len) != (ssize_t)path_len ||
	    real_write(log_fd(), data, len) != (ssize_t)len)
		abort();
	(void)pthread_mutex_unlock(&lock);
}

/* The present path of a descriptor and its inode; false when not watched. */
static bool
watched_fd(int fd, char path[PATH_MAX], struct stat *st)
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return is_watched(path) && fstat(fd, st) == 0 &&
	       (S_ISREG(st->st_mode) ? st->st_nlink > 0 : S_ISDIR(st->st_mode));
}

/* The absolute path of `name` as seen from dir; false when not watched. */
static bool
watched_at(int dir, const char *name, char path[PATH_MAX])
{
	char base[PATH_MAX - NAME_MAX - 2];
	char link[64];
	ssize_t n = 0;

	if (name[0] == '/') {
		(void)snprintf(path, PATH_MAX, "%s", name);
		return is_watched(path);
	}
	if (dir == AT_FDCWD)
		(void)snprintf(link, sizeof(link), "/proc/self/cwd");
	else
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, base, sizeof(base) - 1);
	if (n <= 0)
		return false;
	base[n] = '\0';
	(void)snprintf(path, PATH_MAX, "%s/%s", base, name);
	return is_watched(path);
}

static void
wrote(int fd, uint64_t at, const void *buf, ssize_t n)
{
	char path[PATH_MAX];
	struct stat st;
	int was = errno;

	if (n > 0 && watched_fd(fd, path, &st))
		put(WRITE, st.st_ino, at, path, buf, (size_t)n);
	errno = was;
}

EXPORT ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	REAL(pwrite);
	ssize_t n = real(fd, buf, len, at);

	wrote(fd, (uint64_t)at, buf, n);
	return n;
}

EXPORT ssize_t
plain_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return pwrite(fd, buf, len, at);
}

EXPORT ssize_t
write(int fd, const void *buf, size_t len)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t n = real_write(fd, buf, len);

	if (at >= 0)
		wrote(fd, (uint64_t)at, buf, n);
	return n;
}

static void
truncated(int fd, off_t size)
{
	char path[PATH_MAX];
	struct stat st;

	if (watched_fd(fd, path, &st))
		put(TRUNCATE, st.st_ino, (uint64_t)size, path, "", 0);
}

EXPORT int
ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	int r = real(fd, size);

	if (r == 0)
		truncated(fd, size);
	return r;
}

EXPORT int
plain_ftruncate(int fd, off_t size)
{
	return ftruncate(fd, size);
}

static int
synced(int fd, int r)
{
	char path[PATH_MAX];
	struct stat st;

	if (r == 0 && watched_fd(fd, path, &st))
		put(S_ISDIR(st.st_mode) ? SYNC_DIR : SYNC, st.st_ino, 0, path,
		    "", 0);
	return r;
}

EXPORT int
fsync(int fd)
{
	REAL(fsync);
	return synced(fd, real(fd));
}

EXPORT int
fdatasync(int fd)
{
	REAL(fdatasync);
	return synced(fd, real(fd));
}

/* The argument behind `flags`, which is there only for a new file. */
#define MODE_OF(mode, flags) do {				\
	va_list ap_;						\
	va_start(ap_, flags);					\
	(mode) = ((flags) & O_CREAT) != 0 ? va_arg(ap_, mode_t) : 0; \
	va_end(ap_);						\
} while (0)

EXPORT int
openat(int dir, const char *name, int flags, ...)
{
	char path[PATH_MAX];
	struct stat st;
	mode_t mode;
	bool new;
	int fd;

	REAL(openat);
	MODE_OF(mode, flags);
	new = (flags & (O_CREAT | O_TRUNC)) != 0 &&
	      watched_at(dir, name, path) && fstatat(dir, name, &st, 0) < 0;
	fd = real(dir, name, flags, mode);
	if (fd < 0 || !watched_fd(fd, path, &st))
		return fd;
	if (new)
		put(CREATE, st.st_ino, 0, path, "", 0);
	else if ((flags & O_TRUNC) != 0)
		put(TRUNCATE, st.st_ino, 0, path, "", 0);
	return fd;
}

EXPORT int
plain_openat(int dir, const char *name, int flags, ...)
{
	mode_t mode;

	MODE_OF(mode, flags);
	return openat(dir, name, flags, mode);
}

EXPORT int
open(const char *name, int flags, ...)
{
	mode_t mode;

	MODE_OF(mode, flags);
	return openat(AT_FDCWD, name, flags, mode);
}

EXPORT int
plain_open(const char *name, int flags, ...)
{
	mode_t mode;

	MODE_OF(mode, flags);
	return openat(AT_FDCWD, name, flags, mode);
}

EXPORT int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
	  unsigned flags)
{
	char a[PATH_MAX], b[PATH_MAX];
	int r;

	REAL(renameat2);
	r = real(from_dir, from, to_dir, to, flags);
	if (r == 0 && watched_at(from_dir, from, a) && watched_at(to_dir, to, b))
		put(RENAME, 0, 0, a, b, strlen(b));
	return r;
}

EXPORT int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat2(from_dir, from, to_dir, to, 0);
}

EXPORT int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	char path[PATH_MAX];
	struct stat st;
	int r;

	REAL(linkat);
	r = real(from_dir, from, to_dir, to, flags);
	if (r == 0 && watched_at(to_dir, to, path) &&
	    fstatat(to_dir, to, &st, 0) == 0)
		put(CREATE, st.st_ino, 0, path, "", 0);
	return r;
}

EXPORT int
link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int
unlinkat(int dir, const char *name, int flags)
{
	char path[PATH_MAX];
	int r;

	REAL(unlinkat);
	r = real(dir, name, flags);
	if (r == 0 && watched_at(dir, name, path))
		put(UNLINK, 0, 0, path, "", 0);
	return r;
}

EXPORT int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

EXPORT int
mkdirat(int dir, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int r;

	REAL(mkdirat);
	r = real(dir, name, mode);
	if (r == 0 && watched_at(dir, name, path))
		put(MKDIR, 0, 0, path, "", 0);
	return r;
}

EXPORT int
mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}
