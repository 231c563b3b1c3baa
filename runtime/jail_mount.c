/* jail_mount.c - see jail-private.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/jail-private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The place of `path` under the new root, which is the working directory. */
static const char *
inside(const char *path)
{
	return path + strspn(path, "/");
}

/* Make the directories above the last component. */
static int
make_parents(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, path, len + 1);
	for (char *at = strchr(part, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -1;
		*at = '/';
	}
	return 0;
}

/* /lib is a link to usr/lib: the jail gets the same link. */
static int
copy_link(const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlink(target, to) < 0 && errno != EEXIST ? -1 : 0;
}

static int
make_place(const char *to, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return mkdir(to, 0755) < 0 && errno != EEXIST ? -1 : 0;
	int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

static int
restrict_mount(const char *at, const struct rt_path *p)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };

	if ((p->may & RT_WRITE) == 0)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if ((p->may & RT_EXEC) == 0)
		attr.attr_set |= MOUNT_ATTR_NOEXEC;
	if ((p->may & RT_DEVICE) == 0)
		attr.attr_set |= MOUNT_ATTR_NODEV;
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, at, AT_RECURSIVE, &attr,
			    sizeof(attr));
}

static int
add_path(const struct rt_path *p)
{
	const char *to = inside(p->path);
	struct stat st;

	if (lstat(p->path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (make_parents(to) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return copy_link(p->path, to);
	if (make_place(to, &st) < 0 ||
	    mount(p->path, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -1;
	return restrict_mount(to, p);
}

int
rt_jail_mount(const struct rt_spawn *s)
{
	struct mount_attr seal = { .attr_set = MOUNT_ATTR_RDONLY };

	/* Nothing of this may reach the mounts outside. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", s->root, "tmpfs", MS_NOSUID | MS_NODEV,
		  "size=1m,mode=755") < 0 ||
	    chdir(s->root) < 0)
		return -1;
	for (size_t i = 0; i < s->path_count; i++)
		if (add_path(&s->paths[i]) < 0)
			return -1;
	/* The new root over the old one, then the old one away: pivot_root(2),
	 * "pivot_root(".", ".")". */
	if (syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -1;
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &seal,
			    sizeof(seal));
}
