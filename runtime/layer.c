/* layer.c - a guest's layers on disk: one a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/layer.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"

void
rt_layer_name(const char *version, char out[RT_VERSION_ROOM])
{
	memcpy(out, version, strlen(version) + 1);
	/* NAME@NUMBER: a colon has a meaning of its own in many paths. */
	*strchrnul(out, ':') = '@';
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int
remove_layer(const struct rt_place *p, const char *name, struct err *e)
{
	SCOPED_FREE char *path = io_join(p->layers, name, e);

	if (path == NULL)
		return -1;
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 &&
	    errno != ENOENT)
		return err_sys(e, "%s", path);
	return 0;
}

static bool
is_needed(const struct rt_slots *s, const char *name)
{
	const char *const versions[] = { s->active, s->previous, s->next };
	char needed[RT_VERSION_ROOM];

	for (size_t i = 0; i < 3; i++) {
		rt_layer_name(versions[i], needed);
		if (strcmp(needed, name) == 0)
			return true;
	}
	return false;
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

int
rt_layer_tidy(const struct rt_place *p, const struct rt_slots *s, bool keep,
	      struct err *e)
{
	SCOPED(close_dir) DIR *d = opendir(p->layers);
	const struct dirent *x;

	if (d == NULL)
		return err_sys(e, "%s", p->layers);
	while ((x = readdir(d)) != NULL) {
		if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0 ||
		    strcmp(x->d_name, RT_LAYER_USER) == 0 ||
		    (keep && is_needed(s, x->d_name)))
			continue;
		if (remove_layer(p, x->d_name, e) < 0)
			return -1;
	}
	return 0;
}

int
rt_layer_drop(const struct rt_place *p, const char *version, struct err *e)
{
	char name[RT_VERSION_ROOM];

	rt_layer_name(version, name);
	return remove_layer(p, name, e);
}
