/* host.c - see host.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "imgtool/host.h"

#include <dirent.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

void
host_names_done(struct host_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->at[i]);
	free(n->at);
	*n = (struct host_names)HOST_NAMES_EMPTY;
}

static void
shut_dir(DIR *const *d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

static int
by_bytes(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int
host_list(const char *folder, struct host_names *ret, struct err *e)
{
	HOST_NAMES_SCOPED struct host_names n = HOST_NAMES_EMPTY;
	SCOPED(shut_dir) DIR *d = opendir(folder);
	const struct dirent *one;

	if (d == NULL)
		return err_sys(e, "%s", folder);
	while ((one = readdir(d)) != NULL) {
		if (strcmp(one->d_name, ".") == 0 ||
		    strcmp(one->d_name, "..") == 0)
			continue;
		if (mem_grow(&n.at, &n.cap, n.count + 1, sizeof(*n.at), e) < 0)
			return -1;
		n.at[n.count] = mem_str(one->d_name, e);
		if (n.at[n.count] == NULL)
			return -1;
		n.count++;
	}
	mem_sort(n.at, n.count, sizeof(*n.at), by_bytes);
	*ret = TAKE(n);
	return 0;
}
