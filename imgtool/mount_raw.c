/* mount_raw.c - a mounted disk as one file
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/num.h"
#include "disk/disk.h"
#include "imgtool/mount.h"

#define NAME "disk.raw"

static struct dk *
disk(void)
{
	const struct mount *m = fuse_get_context()->private_data;

	return m->disk;
}

static int
raw_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	bool top = strcmp(path, "/") == 0;

	(void)fi;
	memset(st, 0, sizeof(*st));
	if (!top && strcmp(path, "/" NAME) != 0)
		return -ENOENT;
	st->st_mode = top ? S_IFDIR | 0555 : S_IFREG | 0444;
	st->st_nlink = 1;
	st->st_uid = getuid();
	st->st_gid = getgid();
	st->st_size = top ? 0 : (off_t)disk()->size;
	st->st_blksize = 1 << 20;
	return 0;
}

static int
raw_readdir(const char *path, void *buf, fuse_fill_dir_t put, off_t at,
	    struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	static const char *const names[] = { ".", "..", NAME };

	(void)path, (void)at, (void)fi, (void)flags;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (put(buf, names[i], NULL, 0, 0) != 0)
			return -ENOMEM;
	return 0;
}

static int
raw_open(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	if ((fi->flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	fi->keep_cache = 1;
	return 0;
}

static int
raw_read(const char *path, char *to, size_t len, off_t at,
	 struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;
	struct dk *d = disk();

	(void)path, (void)fi;
	if ((uint64_t)at >= d->size || len == 0)
		return 0;
	len = (size_t)num_min(len, d->size - (uint64_t)at);
	return dk_read(d, to, len, (uint64_t)at, &e) < 0 ? mount_fail(&e) :
							   (int)len;
}

/* ---- holes --------------------------------------------------------------- */

/* Looking for the first stretch that is a hole, or is none. */
struct looking {
	bool hole, found;
	uint64_t at;
};

static int
look(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	struct looking *l = arg;

	(void)len;
	if (((kind & DK_ZERO) != 0) != l->hole)
		return 0;
	l->found = true;
	l->at = at;
	return err_set(e, ERR_NO, "found");	/* ends the walk */
}

static off_t
raw_lseek(const char *path, off_t at, int whence, struct fuse_file_info *fi)
{
	struct looking l = { .hole = whence == SEEK_HOLE };
	struct err e = ERR_INIT;
	struct dk *d = disk();

	(void)path, (void)fi;
	if (whence != SEEK_HOLE && whence != SEEK_DATA)
		return -EINVAL;
	if (at < 0 || (uint64_t)at >= d->size)
		return -ENXIO;
	if (dk_extents(d, (uint64_t)at, d->size - (uint64_t)at, look, &l,
		       &e) < 0 && !l.found)
		return mount_fail(&e);
	if (!l.found && !l.hole)
		return -ENXIO;
	return (off_t)(l.found ? l.at : d->size);
}

static void *
raw_init(struct fuse_conn_info *conn, struct fuse_config *c)
{
	(void)conn;
	c->kernel_cache = 1;
	return fuse_get_context()->private_data;
}

const struct fuse_operations mount_raw_ops = {
	.init = raw_init,
	.getattr = raw_getattr,
	.readdir = raw_readdir,
	.open = raw_open,
	.read = raw_read,
	.lseek = raw_lseek,
};
