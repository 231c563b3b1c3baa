/* io_shipped.c - where what ships with the programs lies
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/io.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Cut the last part of a path off; false when there is none. */
static bool
up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/* The path of this program. */
static bool
myself(char exe[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX - 1);

	if (n <= 0)
		return false;
	exe[n] = '\0';
	return true;
}

/* PROGRAM lies in TOP/build/VARIANT, or in TOP/build/VARIANT/tests. */
static char *
in_source_tree(const char *name, struct err *e)
{
	char exe[PATH_MAX];

	if (!myself(exe))
		return NULL;
	while (up(exe)) {
		const char *last = strrchr(exe, '/');

		if (last == NULL || strcmp(last, "/build") != 0)
			continue;
		(void)up(exe);
		return mem_fmt(e, "%s/%s", exe, name);
	}
	return NULL;
}

char *
io_shipped(const char *name, struct err *e)
{
	SCOPED_FREE char *here = in_source_tree(name, e);
	struct stat st;

	if (here != NULL && stat(here, &st) == 0 && S_ISDIR(st.st_mode))
		return TAKE(here);
	if (e->kind != ERR_NONE)
		return NULL;
	return mem_fmt(e, "%s/%s", SHAREDIR, name);
}

char *
io_module(const char *name, struct err *e)
{
	char exe[PATH_MAX];

	if (myself(exe) && up(exe)) {
		SCOPED_FREE char *beside = mem_fmt(e, "%s/%s", exe, name);

		if (beside == NULL)
			return NULL;
		if (access(beside, R_OK) == 0)
			return TAKE(beside);
	}
	SCOPED_FREE char *installed = mem_fmt(e, "%s/halcyon/%s", LIBDIR, name);
	if (installed == NULL)
		return NULL;
	if (access(installed, R_OK) == 0)
		return TAKE(installed);
	(void)err_set(e, ERR_SYSTEM, "%s: not there; the installation is not "
		      "whole", installed);
	return NULL;
}
