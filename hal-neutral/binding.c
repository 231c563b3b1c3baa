/* binding.c - see binding.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/binding.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

void
hn_binding_done(struct hn_binding *b)
{
	free(b->id);
	free(b->where);
	free(b->service);
	*b = (struct hn_binding)HN_BINDING_EMPTY;
}

bool
hn_has_database(const struct hn_image *im)
{
	return im->in->generation >= WN_8;
}

char *
hn_critical_name(const char *id, struct err *e)
{
	char *name = mem_str(id, e);

	for (char *c = name; c != NULL && *c != '\0'; c++)
		if (*c == '\\')
			*c = '#';
	return name;
}

/* The string value, "" when it is missing or no string. */
static char *
text_of(struct hv_key *k, const char *name, struct err *e)
{
	struct err wrong = ERR_INIT;
	char *text = NULL;

	if (hv_get_str(k, name, &text, &wrong) == 1)
		return text;
	if (wrong.kind == ERR_NOMEM) {
		(void)err_set(e, wrong.kind, "%s", wrong.msg);
		return NULL;
	}
	return mem_str("", e);
}

static int
fill(struct hn_binding *b, const char *id, char *where, char *service,
     struct err *e)
{
	b->where = where;
	b->service = service;
	b->id = mem_str(id, e);
	return b->id == NULL || where == NULL || service == NULL ? -1 : 1;
}

static int
critical(const struct hn_set *set, const char *id, struct hn_binding *ret,
	 struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	SCOPED_FREE char *name = hn_critical_name(id, e);
	struct hv_key *db, *k;

	if (name == NULL)
		return -1;
	db = set->control != NULL ?
	     hv_find(set->control, "CriticalDeviceDatabase") : NULL;
	k = db != NULL ? hv_find(db, name) : NULL;
	if (k == NULL)
		return 0;
	if (fill(&b, id, mem_fmt(e, "CriticalDeviceDatabase\\%s", name),
		 text_of(k, "Service", e), e) < 0)
		return -1;
	*ret = TAKE(b);
	return 1;
}

/* The service that a package gives to an id; "" when a step is missing. */
static char *
package_service(struct hv_key *db, const char *package, const char *id,
		struct err *e)
{
	SCOPED_FREE char *path = mem_fmt(e, "DriverPackages\\%s", package);
	SCOPED_FREE char *sub = mem_fmt(e, "Descriptors\\%s", id);
	SCOPED_FREE char *config = NULL, *config_path = NULL;
	struct hv_key *k, *d;

	if (path == NULL || sub == NULL)
		return NULL;
	k = hv_find(db, path);
	d = k != NULL ? hv_find(k, sub) : NULL;
	if (d == NULL)
		return mem_str("", e);
	config = text_of(d, "Configuration", e);
	if (config == NULL || config[0] == '\0')
		return TAKE(config);
	config_path = mem_fmt(e, "Configurations\\%s", config);
	if (config_path == NULL)
		return NULL;
	d = hv_find(k, config_path);
	return d == NULL ? mem_str("", e) : text_of(d, "Service", e);
}

/* The first INF that serves the id; its service goes to *ret. */
static int
inf_service(struct hv_key *db, struct hv_key *ids, const char *id,
	    struct hn_binding *ret, struct err *e)
{
	HN_BINDING_SCOPED struct hn_binding b = HN_BINDING_EMPTY;
	SCOPED_FREE char *inf = NULL, *path = NULL, *package = NULL;
	struct hv_key *k;

	inf = hv_value_first(ids) != NULL ?
	      hv_value_name(hv_value_first(ids), e) : mem_str("", e);
	path = inf != NULL ? mem_fmt(e, "DriverInfFiles\\%s", inf) : NULL;
	if (path == NULL)
		return -1;
	k = inf[0] != '\0' ? hv_find(db, path) : NULL;
	package = k != NULL ? text_of(k, "Active", e) : mem_str("", e);
	if (package == NULL)
		return -1;
	if (fill(&b, id, mem_fmt(e, "DriverDatabase: %s, %s", inf, package),
		 package_service(db, package, id, e), e) < 0)
		return -1;
	*ret = TAKE(b);
	return 1;
}

static int
database(const struct hn_image *im, const char *id, struct hn_binding *ret,
	 struct err *e)
{
	struct hv_key *db = hv_find(hv_root(im->sys), "DriverDatabase");
	SCOPED_FREE char *path = mem_fmt(e, "DeviceIds\\%s", id);
	struct hv_key *k;

	if (path == NULL)
		return -1;
	k = db != NULL ? hv_find(db, path) : NULL;
	if (k == NULL || hv_value_count(k) == 0)
		return 0;
	return inf_service(db, k, id, ret, e);
}

int
hn_bind(const struct hn_image *im, const struct hn_set *set,
	const char *const *ids, size_t count, struct hn_binding *ret,
	struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		int r = hn_has_database(im) ? database(im, ids[i], ret, e) :
			critical(set, ids[i], ret, e);

		if (r != 0)
			return r;
	}
	return 0;
}
