/* cmd_files_copy.c - imgtool files get and put
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/stop.h"
#include "imgtool/cmd.h"
#include "imgtool/files.h"

enum { PIECE = 1 << 20 };

/* ---- get ------------------------------------------------------------------ */

/* One that is copied out: from `inside` of the volume to `out`. */
struct out {
	struct vo *v;
	size_t skip;		/* bytes of each path above what is copied */
	const char *to;
	bool force;
	uint8_t *piece;
};

static struct timespec
unix_time(uint64_t filetime)
{
	return (struct timespec){
		.tv_sec = (time_t)((int64_t)(filetime / 10000000) - 11644473600),
		.tv_nsec = (long)(filetime % 10000000 * 100),
	};
}

/* Copy into an open file, which gets the times too. */
static int
fill(const struct out *o, const char *path, int fd, const char *to,
     const struct vo_stat *st, struct err *e)
{
	const struct timespec times[2] = {
		unix_time(st->times.accessed), unix_time(st->times.modified),
	};
	uint64_t at = 0;
	size_t len;

	do {
		if (stop_check(e) < 0 ||
		    vo_read(o->v, path, at, o->piece, PIECE, &len, e) < 0 ||
		    io_write_at(fd, o->piece, len, at, to, e) < 0)
			return -1;
		at += len;
	} while (len == PIECE);
	return futimens(fd, times) < 0 ? err_sys(e, "%s: times", to) : 0;
}

/* A file alone appears whole or not at all. */
static int
get_file(const struct out *o, const char *path, const char *to,
	 const struct vo_stat *st, struct err *e)
{
	IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;

	if (!o->force && access(to, F_OK) == 0)
		return err_set(e, ERR_USAGE, "%s: is there already; add "
			       "--force to replace it", to);
	if (io_new_open(&f, to, 0644, e) < 0 ||
	    fill(o, path, f.fd, to, st, e) < 0)
		return -1;
	return io_new_commit(&f, e);
}

/* One of a folder: they are synced together at the end. */
static int
get_one_of(const struct out *o, const char *path, const char *to,
	   const struct vo_stat *st, struct err *e)
{
	SCOPED_FD int fd = -1;

	if (o->force && unlink(to) < 0 && errno != ENOENT)
		return err_sys(e, "%s", to);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	if (fd < 0)
		return err_sys(e, "%s", to);
	return fill(o, path, fd, to, st, e);
}

static int
get_below(void *arg, const char *path, const struct vo_entry *x, struct err *e)
{
	const struct out *o = arg;
	SCOPED_FREE char *to = mem_fmt(e, "%s/%s", o->to, path + o->skip);

	if (to == NULL)
		return -1;
	/* what a link points to lies in another place of the guest */
	if ((x->st.attributes & VO_REPARSE) != 0 && x->st.size == 0)
		return 1;
	if ((x->st.attributes & VO_DIRECTORY) == 0)
		return get_one_of(o, path, to, &x->st, e);
	if (mkdir(to, 0755) < 0 && (errno != EEXIST || !o->force))
		return err_sys(e, "%s", to);
	return 0;
}

static int
get_folder(struct out *o, const char *inside, struct err *e)
{
	SCOPED_FD int dir = open(o->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "%s", o->to);
	o->skip = *inside == '\0' ? 0 : strlen(inside) + 1;
	if (vo_walk(o->v, inside, get_below, o, e) < 0)
		return -1;
	return syncfs(dir) < 0 ? err_sys(e, "%s: sync", o->to) : 0;
}

/* Where it goes: into a folder that is there under its own name. */
static char *
destination(const struct cli_args *a, const char *inside, struct err *e)
{
	const char *slash = strrchr(inside, '/');
	const char *name = slash == NULL ? inside : slash + 1;
	const char *to = a->count > 2 ? a->at[2] : ".";
	struct stat st;

	if (stat(to, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (*name == '\0' || strchr(name, ':') != NULL) {
			(void)err_set(e, ERR_USAGE, "%s: say what the file "
				      "shall be called", to);
			return NULL;
		}
		return io_join(to, name, e);
	}
	return mem_str(to, e);
}

static int
files_get(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;
	SCOPED_FREE char *inside = NULL;
	SCOPED_FREE char *spelled = NULL;
	SCOPED_FREE char *to = NULL;
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);
	struct out o = { .piece = piece, .force = a->force };
	struct vo_stat st;

	if (piece == NULL || files_open(a, false, &f, e) < 0 ||
	    files_need(&f, a->at[1], &o.v, &inside, &st, e) < 0)
		return -1;
	/* the guest's spelling, unless it is a stream */
	if (vo_spelling(o.v, inside, &spelled, e) < 0)
		return -1;
	to = destination(a, spelled == NULL ? inside : spelled, e);
	if (to == NULL)
		return -1;
	if ((st.attributes & VO_DIRECTORY) == 0 || strrchr(inside, ':') != NULL)
		return get_file(&o, inside, to, &st, e);
	if (mkdir(to, 0755) < 0 && (errno != EEXIST || !a->force))
		return err_sys(e, "%s", to);
	o.to = to;
	return get_folder(&o, inside, e);
}

const struct cli_cmd cmd_files_get = {
	.name = "files get", .operands = "DISK PATH [OUT]",
	.help = "copy a file or folder out of a disk",
	.common = CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES | CLI_FORMAT |
		  CLI_STATE | CLI_FORCE,
	.min_operands = 2, .max_operands = 3, .run = files_get,
};

/* ---- put ------------------------------------------------------------------ */

static int
files_put(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;
	const char *from = a->at[1];

	if (strcmp(from, "-") != 0 && access(from, R_OK) < 0)
		return err_sys(e, "%s", from);
	if (files_open(a, true, &f, e) < 0 ||
	    files_put_host(&f, from, a->at[2], e) < 0)
		return -1;
	return files_commit(&f, "put", a->at[2], e);
}

const struct cli_cmd cmd_files_put = {
	.name = "files put", .operands = "DISK FILE PATH",
	.help = "copy a file or folder into a disk",
	.common = CLI_DRY_RUN | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE | CLI_AS,
	.min_operands = 3, .max_operands = 3, .run = files_put,
};
