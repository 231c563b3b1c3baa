/* netd.c - a guest's way to the network: halcyon-net, in a jail of its own
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/netd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"

#define RESOLVER "/etc/resolv.conf"

int
rt_netd_start(const struct rt_place *p, enum rt_rung rung, int fd, pid_t *ret,
	      struct err *e)
{
	SCOPED_FREE char *program = io_module("halcyon-net", e);
	/* Often a link into /run, where only that file is wanted. */
	SCOPED_FREE char *resolver = realpath(RESOLVER, NULL);
	SCOPED_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char *argv[] = { program, (char []){ "3" }, NULL };

	if (program == NULL)
		return -1;
	const struct rt_path paths[] = {
		{ "/usr/lib", RT_READ | RT_EXEC },
		{ "/usr/lib64", RT_READ | RT_EXEC },
		{ "/lib", RT_READ | RT_EXEC },
		{ "/lib64", RT_READ | RT_EXEC },
		{ "/etc/ld.so.cache", RT_READ },
		{ program, RT_READ | RT_EXEC },
		{ RESOLVER, RT_READ },
		{ resolver, RT_READ },
	};
	const size_t all = sizeof(paths) / sizeof(paths[0]);
	bool is_link = resolver != NULL && strcmp(resolver, RESOLVER) != 0;
	const struct rt_spawn s = {
		.what = "guest's network", .argv = argv, .fds = &fd, .fd_count = 1,
		.log = null, .paths = paths,
		.path_count = is_link ? all : all - 1, .root = p->root,
		.network = true,
	};
	return rt_spawn(&s, rung, ret, e);
}
