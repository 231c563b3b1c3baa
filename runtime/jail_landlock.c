/* jail_landlock.c - see jail-private.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/jail-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The attribute as of ABI 6; older headers end after the first member.
 * Documentation/userspace-api/landlock.rst of Linux. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)		/* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)	/* ABI 3 */
#define NET_TCP 3ULL			/* ABI 4: bind and connect */
#define SCOPE_ALL 3ULL			/* ABI 6: abstract sockets, signals */

#define FS_FILE (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE)

static uint64_t
rights(const struct rt_path *p, const struct stat *st, uint64_t handled)
{
	uint64_t r = 0;

	if ((p->may & RT_READ) != 0)
		r |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	if ((p->may & RT_EXEC) != 0)
		r |= LANDLOCK_ACCESS_FS_EXECUTE;
	if ((p->may & RT_DEVICE) != 0)
		r |= LANDLOCK_ACCESS_FS_WRITE_FILE;
	if ((p->may & RT_WRITE) != 0)
		r |= LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE |
		     LANDLOCK_ACCESS_FS_REMOVE_FILE |
		     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
		     LANDLOCK_ACCESS_FS_REMOVE_DIR;
	if (!S_ISDIR(st->st_mode))
		r &= FS_FILE;
	return r & handled;
}

static int
add_path(int ruleset, const struct rt_path *p, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = -1 };
	struct stat st;
	int r;

	rule.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -1;
	r = fstat(rule.parent_fd, &st);
	if (r == 0) {
		rule.allowed_access = rights(p, &st, handled);
		r = (int)syscall(SYS_landlock_add_rule, ruleset,
				 LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	(void)close(rule.parent_fd);
	return r;
}

int
rt_jail_landlock(const struct rt_spawn *s)
{
	struct ruleset attr = { .fs = FS_ABI_1 };
	size_t size = sizeof(attr.fs);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return -1;
	if (abi >= 2)
		attr.fs |= FS_REFER;
	if (abi >= 3)
		attr.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		attr.net = s->network ? 0 : NET_TCP;
		size += sizeof(attr.net);
	}
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size += sizeof(attr.scoped);
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < s->path_count; i++)
		if (add_path(fd, &s->paths[i], attr.fs) < 0)
			return -1;
	int r = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close(fd);
	return r;
}
