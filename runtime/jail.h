/* jail.h - a process that sees only what it was given
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every process that reads what a guest wrote is started in here.  The jail is
 * a ladder, and the machine decides which rung it can reach:
 *
 *	user namespace	no privilege outside; own mounts, processes, network,
 *			IPC; a root file system that holds only the given paths
 *	root namespaces	the same, set up by root where user namespaces are
 *			forbidden; all capabilities dropped for good
 *	landlock	no namespaces; files outside the given paths cannot be
 *			opened, but sockets in the file system can be reached
 *
 * On each rung also: no_new_privs, Landlock over the given paths (and, where
 * the kernel has it, no TCP, no abstract sockets and no signals to outside), no
 * sockets but local ones (but for the one process that is a guest's way to the
 * network), no looking into other processes, no core dumps, all
 * descriptors closed but those handed over, and death with the parent.
 */
#ifndef RUNTIME_JAIL_H
#define RUNTIME_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

struct err;

enum rt_rung { RT_RUNG_USER, RT_RUNG_ROOT, RT_RUNG_LANDLOCK };
#define RT_RUNGS 3

extern const char *const rt_rung_words[];

enum {
	RT_READ = 1 << 0,
	RT_EXEC = 1 << 1,
	RT_WRITE = 1 << 2,	/* also make and remove files, in a directory */
	RT_DEVICE = 1 << 3,
};

/* An absolute path without symbolic links but perhaps in its last component;
 * one that does not exist is left out. */
struct rt_path {
	const char *path;
	unsigned may;
};

#define RT_FD_FIRST 3	/* the number of the first descriptor handed over */

struct rt_spawn {
	const char *what;	/* for messages: "QEMU" */
	char *const *argv;	/* argv[0] is an absolute path; ends with NULL.
				   NULL: only build the jail, and leave */
	const int *fds;		/* become RT_FD_FIRST, RT_FD_FIRST + 1, ... */
	size_t fd_count;
	int log;		/* standard output and error */
	const struct rt_path *paths;
	size_t path_count;
	const char *dir;	/* working directory; inside one of the paths */
	const char *root;	/* an empty directory, which the jail's root covers */
	uint64_t file_max;	/* bytes a file may grow to; 0: no limit */
	bool network;		/* it may use this machine's */
	bool listen;		/* the first descriptor is a listening socket, told
				   as systemd's socket activation tells it */
};

/* Start it; -1 with the step that failed when the jail or exec did. */
MUST_CHECK int rt_spawn(const struct rt_spawn *s, enum rt_rung rung,
			pid_t *ret, struct err *e);

/* The highest rung that works here, `root` as above.  Not even Landlock:
 * ERR_UNSUPPORTED, and the reason. */
MUST_CHECK int rt_jail_best(const char *root, enum rt_rung *ret, struct err *e);

/* The absolute path of an installed program, which the caller frees.  PATH is
 * not asked: what runs a guest is the system's own. */
MUST_CHECK char *rt_program(const char *name, struct err *e);

#endif /* RUNTIME_JAIL_H */
