/* mount_files.c - the files of a mounted disk, as FUSE asks for them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define FUSE_USE_VERSION 35

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scope.h"
#include "imgtool/files.h"
#include "imgtool/mount.h"
#include "volume/volume.h"
#include "windows/windows.h"

/* Seconds that the kernel may keep what it was told: nothing changes. */
#define FOR_EVER 86400.0

static const struct mount *
here(void)
{
	return fuse_get_context()->private_data;
}

/* ---- facts --------------------------------------------------------------- */

static struct timespec
unix_time(uint64_t filetime)
{
	/* seconds from 1601 to 1970 */
	const int64_t epoch = 11644473600;

	if (filetime == 0 || filetime > INT64_MAX)
		return (struct timespec){ .tv_sec = 0 };
	return (struct timespec){
		.tv_sec = (int64_t)(filetime / 10000000) - epoch,
		.tv_nsec = (int64_t)(filetime % 10000000) * 100,
	};
}

/* A number for the inode: volumes have their own records. */
static ino_t
inode(const struct mount *m, const struct vo *v, const struct vo_stat *s)
{
	uint64_t number = 0;

	for (size_t i = 0; i < m->folders; i++)
		if (m->folder[i].volume->vo == v)
			number = i + 1;
	return number << 48 | (s->id & 0xffffffffffff);
}

static void
fill(const struct mount *m, const struct vo *v, const struct vo_stat *s,
     struct stat *st)
{
	bool link = s->tag == (uint32_t)VO_TAG_SYMLINK ||
		    s->tag == (uint32_t)VO_TAG_MOUNT_POINT;
	bool folder = (s->attributes & VO_DIRECTORY) != 0;

	st->st_ino = inode(m, v, s);
	st->st_mode = link ? S_IFLNK | 0777 : folder ? S_IFDIR | 0555 :
						       S_IFREG | 0444;
	/* find(1) takes a folder with one link for one that does not count */
	st->st_nlink = folder || s->links == 0 ? 1 : s->links;
	st->st_uid = getuid();
	st->st_gid = getgid();
	st->st_size = folder || link ? 0 : (off_t)num_min(s->size, INT64_MAX);
	st->st_blocks = (blkcnt_t)num_min(s->allocated / 512, INT64_MAX);
	st->st_blksize = 4096;
	st->st_mtim = unix_time(s->times.modified);
	st->st_ctim = unix_time(s->times.changed);
	st->st_atim = unix_time(s->times.accessed);
}

static void
fill_top(struct stat *st)
{
	st->st_ino = 1;
	st->st_mode = S_IFDIR | 0555;
	st->st_nlink = 1;
	st->st_uid = getuid();
	st->st_gid = getgid();
}

static int
file_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	const struct mount *m = here();
	struct err e = ERR_INIT;
	const char *inside;
	struct vo_stat s;
	struct vo *v;
	int r = mount_find(m, path, &v, &inside);

	(void)fi;
	memset(st, 0, sizeof(*st));
	if (r < 0)
		return r;
	if (r == 0) {
		fill_top(st);
		return 0;
	}
	r = vo_stat(v, inside, &s, &e);
	if (r <= 0)
		return r == 0 ? -ENOENT : mount_fail(&e);
	fill(m, v, &s, st);
	return 0;
}

static int
file_statfs(const char *path, struct statvfs *st)
{
	const struct mount *m = here();
	const char *inside;
	struct vo *v;
	int r = mount_find(m, path, &v, &inside);

	if (r < 0)
		return r;
	const struct vo_facts *f = vo_facts(r == 0 ? m->files->main : v);
	memset(st, 0, sizeof(*st));
	st->f_bsize = st->f_frsize = f->cluster;
	st->f_blocks = f->clusters;
	st->f_bfree = st->f_bavail = f->free_clusters;
	st->f_namemax = VO_NAME_MAX;
	st->f_flag = ST_RDONLY;
	return 0;
}

/* ---- folders ------------------------------------------------------------- */

/* A guest's name that this system could not have is left out. */
static bool
fits(const char *name)
{
	return *name != '\0' && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int
list_top(const struct mount *m, void *buf, fuse_fill_dir_t put)
{
	for (size_t i = 0; i < m->folders; i++)
		if (put(buf, m->folder[i].name, NULL, 0, 0) != 0)
			return -ENOMEM;
	return 0;
}

static int
file_readdir(const char *path, void *buf, fuse_fill_dir_t put, off_t at,
	     struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	VO_LIST_SCOPED struct vo_list l = VO_LIST_EMPTY;
	const struct mount *m = here();
	struct err e = ERR_INIT;
	const char *inside;
	struct vo *v;
	int r = mount_find(m, path, &v, &inside);

	(void)at, (void)fi, (void)flags;
	if (r < 0)
		return r;
	if (put(buf, ".", NULL, 0, 0) != 0 || put(buf, "..", NULL, 0, 0) != 0)
		return -ENOMEM;
	if (r == 0)
		return list_top(m, buf, put);
	if (vo_list(v, inside, &l, &e) < 0)
		return mount_fail(&e);
	for (size_t i = 0; i < l.count; i++) {
		struct stat st = { .st_size = 0 };

		fill(m, v, &l.at[i].st, &st);
		if (fits(l.at[i].name) &&
		    put(buf, l.at[i].name, &st, 0, FUSE_FILL_DIR_PLUS) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- contents ------------------------------------------------------------ */

static int
file_open(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	if ((fi->flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	fi->keep_cache = 1;
	return 0;
}

static int
file_read(const char *path, char *to, size_t len, off_t at,
	  struct fuse_file_info *fi)
{
	struct err e = ERR_INIT;
	const char *inside;
	struct vo *v;
	size_t got;
	int r = mount_find(here(), path, &v, &inside);

	(void)fi;
	if (r <= 0)
		return r == 0 ? -EISDIR : r;
	if (vo_read(v, inside, (uint64_t)at, to, len, &got, &e) < 0)
		return mount_fail(&e);
	return (int)got;
}

static int
file_readlink(const char *path, char *to, size_t size)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *text = mount_link(here(), path, &e);

	if (text == NULL)
		return mount_fail(&e);
	(void)snprintf(to, size, "%s", text);
	return 0;
}

static void *
file_init(struct fuse_conn_info *conn, struct fuse_config *c)
{
	(void)conn;
	c->use_ino = 1;
	c->kernel_cache = 1;
	c->attr_timeout = c->entry_timeout = FOR_EVER;
	return fuse_get_context()->private_data;
}

const struct fuse_operations mount_file_ops = {
	.init = file_init,
	.getattr = file_getattr,
	.readlink = file_readlink,
	.readdir = file_readdir,
	.open = file_open,
	.read = file_read,
	.statfs = file_statfs,
	.getxattr = mount_getxattr,
	.listxattr = mount_listxattr,
};
