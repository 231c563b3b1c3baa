/* remote_dir.c - a directory as a remote; see remote.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/remote-private.h"

enum { PIECE = 256 << 10 };

/* 1 open, 0 there is no such object. */
static int
open_object(struct dl_remote *r, const char *name, int *ret, uint64_t *ret_size,
	    struct err *e)
{
	SCOPED_FREE char *path = io_join(r->own, name, e);
	struct stat st;

	if (path == NULL)
		return -1;

	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 :
							      err_sys(e, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	*ret_size = (uint64_t)st.st_size;
	*ret = fd;
	fd = -1;
	return 1;
}

static int
get_one(struct dl_remote *r, struct dl_get *g, uint8_t *room,
	struct progress *p, struct err *e)
{
	SCOPED_FD int fd = -1;
	uint64_t size;
	int there = open_object(r, g->name, &fd, &size, e);

	if (there <= 0) {
		g->absent = there == 0;
		return there;
	}
	while (g->have < g->len) {
		uint64_t at = g->at + g->have;
		size_t n = (size_t)num_min(PIECE, g->len - g->have);

		if (!num_in_range(at, n, size))
			n = at < size ? (size_t)(size - at) : 0;
		if (n == 0)
			return dl_remote_short(r, g, e);
		if (io_read_at(fd, room, n, at, g->name, e) < 0)
			return err_ctx(e, "%s", r->name);
		if (g->take(g->arg, room, n, e) < 0)
			return -1;
		g->have += n;
		if (dl_remote_pass(r, n, p, e) < 0)
			return -1;
	}
	return 0;
}

static int
get_dir(struct dl_remote *r, struct dl_get *get, size_t count,
	struct progress *p, struct err *e)
{
	SCOPED_FREE uint8_t *room = mem_array(PIECE, 1, e);

	if (room == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (get_one(r, &get[i], room, p, e) < 0)
			return -1;
	return 0;
}

static int
slurp_dir(struct dl_remote *r, const char *name, size_t max, struct buf *out,
	  struct err *e)
{
	SCOPED_FD int fd = -1;
	uint64_t size;
	int there = open_object(r, name, &fd, &size, e);

	if (there <= 0)
		return there;
	if (size > max)
		return err_set(e, ERR_CORRUPT, "%s/%s: is larger than %zu bytes",
			       r->name, name, max);

	uint8_t *room = buf_room(out, (size_t)size);
	if (room == NULL)
		return buf_ok(out, e) < 0 ? -1 : 1;
	return io_read_at(fd, room, (size_t)size, 0, name, e) < 0 ? -1 : 1;
}

static int
size_dir(struct dl_remote *r, const char *name, uint64_t *ret, struct err *e)
{
	SCOPED_FD int fd = -1;

	return open_object(r, name, &fd, ret, e);
}

/* The directory of an object, made, and its name lasting. */
static int
make_folder(struct dl_remote *r, const char *path, struct err *e)
{
	SCOPED_FREE char *dir = mem_str(path, e);
	char *slash = dir == NULL ? NULL : strrchr(dir, '/');

	if (dir == NULL)
		return -1;
	*slash = '\0';		/* io_join() put one there */
	if (access(dir, F_OK) == 0)
		return 0;
	if (io_mkdirs(dir, 0755, e) < 0)
		return -1;
	for (; strlen(dir) > strlen(r->own); *slash = '\0') {
		slash = strrchr(dir, '/');
		if (slash == NULL)
			break;
		*slash = '\0';
		if (io_sync_dir(*dir == '\0' ? "/" : dir, e) < 0)
			return -1;
	}
	return 0;
}

static int
copy_in(struct dl_remote *r, int fd, const char *name, struct io_new *f,
	struct progress *p, struct err *e)
{
	SCOPED_FREE uint8_t *room = mem_array(PIECE, 1, e);
	size_t n = 0;

	if (room == NULL)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "%s", name);
	do {
		if (io_read_some(fd, room, PIECE, name, &n, e) < 0 ||
		    (n > 0 && io_new_write(f, room, n, e) < 0) ||
		    dl_remote_pass(r, n, p, e) < 0)
			return -1;
	} while (n == PIECE);
	return 0;
}

static int
put_dir(struct dl_remote *r, const char *name, int fd, bool replace,
	struct progress *p, struct err *e)
{
	SCOPED_FREE char *path = io_join(r->own, name, e);
	IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;

	if (path == NULL || make_folder(r, path, e) < 0 ||
	    io_new_open(&f, path, 0644, e) < 0 ||
	    copy_in(r, fd, name, &f, p, e) < 0)
		return -1;
	if (!replace && access(path, F_OK) == 0)
		return err_set(e, ERR_UNSAFE, "%s: somebody else pushes there; "
			       "try again when that has ended", r->name);
	return io_new_commit(&f, e);
}

static void
close_dir(struct dl_remote *r)
{
	free(r->own);
}

const struct dl_remote_kind dl_remote_dir = {
	.get = get_dir, .slurp = slurp_dir, .size = size_dir, .put = put_dir,
	.close = close_dir,
};

int
dl_remote_open_dir(struct dl_remote *r, const char *path, struct err *e)
{
	r->own = mem_str(path, e);
	if (r->own == NULL)
		return -1;
	r->kind = &dl_remote_dir;
	return 0;
}
