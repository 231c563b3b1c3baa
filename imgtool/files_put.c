/* files_put.c - files of this machine go into a disk; see files.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/stop.h"
#include "imgtool/host.h"

enum { PIECE = 1 << 20, DEPTH_MAX = 512 };

/* Read until the piece is full or there is no more. */
static int
fill_piece(int fd, const char *name, uint8_t *piece, size_t *ret, struct err *e)
{
	size_t len = 0;
	ssize_t got;

	do {
		if (stop_check(e) < 0)
			return -1;
		got = read(fd, piece + len, PIECE - len);
		if (got < 0 && errno != EINTR)
			return err_sys(e, "%s", name);
		len += got > 0 ? (size_t)got : 0;
	} while (got != 0 && len < PIECE);
	*ret = len;
	return 0;
}

static int
put_fd(struct vo *v, const char *path, int fd, const char *name, uint8_t *piece,
       struct err *e)
{
	uint64_t at = 0;
	size_t len;

	if (fill_piece(fd, name, piece, &len, e) < 0 ||
	    vo_put(v, path, piece, len, e) < 0)
		return -1;
	while (len == PIECE) {
		at += len;
		if (fill_piece(fd, name, piece, &len, e) < 0 ||
		    (len > 0 && vo_write(v, path, at, piece, len, e) < 0))
			return -1;
	}
	return 0;
}

static int put_one(struct vo *v, const char *from, const char *path,
		   unsigned depth, uint8_t *piece, struct err *e);

static int
put_folder(struct vo *v, const char *from, const char *path, unsigned depth,
	   uint8_t *piece, struct err *e)
{
	HOST_NAMES_SCOPED struct host_names names = HOST_NAMES_EMPTY;

	if (depth > DEPTH_MAX)
		return err_set(e, ERR_USAGE, "%s: too deep", from);
	if (host_list(from, &names, e) < 0 || vo_mkdirs(v, path, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		SCOPED_FREE char *below = io_join(from, names.at[i], e);
		SCOPED_FREE char *to = mem_fmt(e, "%s/%s", path, names.at[i]);

		if (below == NULL || to == NULL ||
		    put_one(v, below, to, depth + 1, piece, e) < 0)
			return -1;
	}
	return 0;
}

static int
put_one(struct vo *v, const char *from, const char *path, unsigned depth,
	uint8_t *piece, struct err *e)
{
	bool std = strcmp(from, "-") == 0;
	SCOPED_FD int fd = std ? dup(0) : open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", from);
	if (S_ISDIR(st.st_mode))
		return put_folder(v, from, path, depth, piece, e);
	if (!std && !S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: neither a file nor a folder",
			       from);
	return put_fd(v, path, fd, from, piece, e);
}

int
files_put_host(const struct files *f, const char *from, const char *path,
	       struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	SCOPED_FREE char *into = NULL;
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	const char *slash = strrchr(from, '/');
	struct vo_stat st;
	struct vo *v;
	int r;

	if (piece == NULL || files_find(f, path, &v, &inside, e) < 0)
		return -1;
	r = strrchr(inside, ':') != NULL ? 0 : vo_stat(v, inside, &st, e);
	if (r < 0)
		return -1;
	/* into a folder that is there, under its own name */
	if (r > 0 && (st.attributes & VO_DIRECTORY) != 0)
		into = mem_fmt(e, "%s%s%s", inside, *inside == '\0' ? "" : "/",
			       slash == NULL ? from : slash + 1);
	else
		into = mem_str(inside, e);
	return into == NULL ? -1 : put_one(v, from, into, 0, piece, e);
}
