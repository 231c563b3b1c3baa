/* io_shipped.c - where the data that ships with the programs lies
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

/* PROGRAM lies in TOP/build/VARIANT, or in TOP/build/VARIANT/tests. */
static char *
in_source_tree(const char *name, struct err *e)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return NULL;
	exe[n] = '\0';
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
