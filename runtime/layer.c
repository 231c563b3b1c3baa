/* layer.c - a guest's layers on disk: one a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/layer.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/scope.h"
#include "runtime/journal.h"

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

/* Which layers a guest must have, from its journal. */
struct had {
	const char *version;
	bool over, user;
};

static int
note_had(const struct rt_record *r, void *arg, struct err *e)
{
	struct had *h = arg;
	size_t len = strlen(h->version);
	bool about = strncmp(r->detail, h->version, len) == 0 &&
		     (r->detail[len] == '\0' || r->detail[len] == ' ');

	(void)e;
	if (r->event == RT_EV_RUNNING) {
		h->user = true;
		h->over = h->over || about;
	} else if (r->event == RT_EV_REDEPLOYED ||
		   (r->event == RT_EV_STAGED && about)) {
		h->over = false;
	}
	return 0;
}

/* 1 there, 0 not. */
static int
is_there(const struct rt_place *p, const char *name, struct err *e)
{
	SCOPED_FREE char *path = io_join(p->layers, name, e);

	if (path == NULL)
		return -1;
	return access(path, F_OK) == 0;
}

int
rt_layer_check(const struct rt_stored *s, const char *version, struct err *e)
{
	struct had h = { .version = version };
	char name[RT_VERSION_ROOM];

	rt_layer_name(version, name);
	if (rt_journal_each(s->place.journal, note_had, &h, e) < 0)
		return -1;
	int over = is_there(&s->place, name, e);
	int user = is_there(&s->place, RT_LAYER_USER, e);
	if (over < 0 || user < 0)
		return -1;
	if (h.user && user == 0 && s->bound.user != NULL)
		return err_set(e, ERR_UNSAFE, "%s: what its user wrote is missing "
			       "(%s/" RT_LAYER_USER "); put it back, or imgrun "
			       "remove %s", s->guest.name, s->place.layers,
			       s->guest.name);
	if (h.over && over == 0 && s->guest.keep)
		return err_set(e, ERR_UNSAFE, "%s: what it wrote over %s is missing "
			       "(%s/%s); put it back, or imgrun redeploy %s",
			       s->guest.name, version, s->place.layers, name,
			       s->guest.name);
	return 0;
}

int
rt_layer_drop(const struct rt_place *p, const char *version, struct err *e)
{
	char name[RT_VERSION_ROOM];

	rt_layer_name(version, name);
	return remove_layer(p, name, e);
}
