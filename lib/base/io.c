/* io.c - see io.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"

int
io_slurp(const char *path, size_t max,
	 uint8_t **ret, size_t *ret_len, struct err *e)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return err_set(e, ERR_CORRUPT, "%s: larger than %zu bytes",
			       path, max);

	size_t want = (size_t)st.st_size, have;
	SCOPED_FREE uint8_t *buf = mem_array(want, 1, e);
	if (buf == NULL)
		return -1;
	if (io_read_some(fd, buf, want, path, &have, e) < 0)
		return -1;
	*ret = TAKE(buf);
	*ret_len = have;
	return 0;
}

int
io_read_at(int fd, void *buf, size_t len, uint64_t at, const char *name,
	   struct err *e)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", name);
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "%s: ends too early",
				       name);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int
io_read_some(int fd, void *buf, size_t len, const char *name, size_t *ret_len,
	     struct err *e)
{
	uint8_t *p = buf;
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, p + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", name);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	*ret_len = have;
	return 0;
}

int
io_write_at(int fd, const void *buf, size_t len, uint64_t at, const char *name,
	    struct err *e)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", name);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int
io_write_all(int fd, const void *buf, size_t len, const char *name,
	     struct err *e)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s", name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
io_put(const char *path, const void *buf, size_t len, mode_t mode,
       struct err *e)
{
	IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;

	if (io_new_open(&f, path, mode, e) < 0 ||
	    io_new_write(&f, buf, len, e) < 0)
		return -1;
	return io_new_commit(&f, e);
}

int
io_mkdirs(const char *path, mode_t mode, struct err *e)
{
	SCOPED_FREE char *part = mem_str(path, e);

	if (part == NULL)
		return -1;
	for (char *p = part + 1; *part != '\0'; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(e, "%s", part);
		*p = was;
		if (was == '\0')
			break;
	}
	return 0;
}

int
io_sync_dir(const char *path, struct err *e)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "%s: sync directory", path);
	return 0;
}

char *
io_join(const char *dir, const char *name, struct err *e)
{
	size_t n = strlen(dir);

	return mem_fmt(e, "%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/",
		       name);
}

int
io_new_open(struct io_new *f, const char *path, mode_t mode, struct err *e)
{
	static _Atomic unsigned nth;
	char dir[PATH_MAX], base[PATH_MAX];

	if (strlen(path) >= sizeof(dir))
		return err_set(e, ERR_USAGE, "path is too long");
	memcpy(dir, path, strlen(path) + 1);
	memcpy(base, path, strlen(path) + 1);

	f->dir = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return err_sys(e, "%s", dir);
	f->name = strdup(basename(base));
	if (f->name == NULL)
		return err_set(e, ERR_NOMEM, "no memory for a file name");
	/* A thread may begin a file while another ends one of that name; and
	 * one that was killed had our number, where numbers are few. */
	for (int again = 0; again < 1000; again++) {
		free(f->temp);
		if (asprintf(&f->temp, "%s.tmp.%ld.%u", f->name, (long)getpid(),
			     atomic_fetch_add(&nth, 1)) < 0) {
			f->temp = NULL;
			return err_set(e, ERR_NOMEM,
				       "no memory for a file name");
		}
		f->fd = openat(f->dir, f->temp,
			       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (f->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	(void)err_sys(e, "%s", path);
	free(TAKE(f->temp));	/* not ours to remove */
	return -1;
}

int
io_new_write(struct io_new *f, const void *buf, size_t len, struct err *e)
{
	return io_write_all(f->fd, buf, len, f->temp, e);
}

int
io_new_write_at(struct io_new *f, const void *buf, size_t len, uint64_t at,
		struct err *e)
{
	return io_write_at(f->fd, buf, len, at, f->temp, e);
}

int
io_new_copy(struct io_new *f, int from, const char *name, struct err *e)
{
	enum { BLOCK = 1 << 20 };
	SCOPED_FREE uint8_t *block = mem_array(BLOCK, 1, e);
	size_t got;

	if (block == NULL)
		return -1;
	do {
		if (stop_check(e) < 0 ||
		    io_read_some(from, block, BLOCK, name, &got, e) < 0 ||
		    io_new_write(f, block, got, e) < 0)
			return -1;
	} while (got == BLOCK);
	return 0;
}

int
io_new_rename(struct io_new *f, const char *name, struct err *e)
{
	char *copy = mem_str(name, e);

	if (copy == NULL)
		return -1;
	free(f->name);
	f->name = copy;
	return 0;
}

int
io_new_commit(struct io_new *f, struct err *e)
{
	int fd = f->fd;

	if (fsync(fd) < 0)
		return err_sys(e, "%s: sync", f->temp);
	f->fd = -1;
	if (close(fd) < 0)
		return err_sys(e, "%s: close", f->temp);
	if (renameat(f->dir, f->temp, f->dir, f->name) < 0)
		return err_sys(e, "%s: rename", f->name);
	free(TAKE(f->temp));
	if (fsync(f->dir) < 0)
		return err_sys(e, "%s: sync directory", f->name);
	return 0;
}

void
io_new_abandon(struct io_new *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->temp != NULL)
		(void)unlinkat(f->dir, f->temp, 0);
	if (f->dir >= 0)
		(void)close(f->dir);
	free(f->temp);
	free(f->name);
	*f = (struct io_new)IO_NEW_EMPTY;
}

int
io_temp_file(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		SCOPED_FREE char *name = mem_fmt(e, "%s/halcyon.XXXXXX", dir);

		if (name == NULL)
			return -1;
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(name);
	}
	if (fd < 0)
		return err_sys(e, "%s: temporary file", dir);
	return fd;
}
