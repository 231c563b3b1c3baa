/* service.c - see image.h: services, their start and their files
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/image.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"

enum { START_NONE = 5 };

struct hv_key *
hn_service(const struct hn_set *set, const char *service)
{
	/* A service's name is one key: never a path. */
	if (set->services == NULL || service[0] == '\0' ||
	    strchr(service, '\\') != NULL)
		return NULL;
	return hv_find(set->services, service);
}

/* A DWORD value, however its bytes are called. */
static unsigned
number(const struct hv_data *d)
{
	if (d->type != HV_DWORD || d->len != 4 || d->at[1] != 0 ||
	    d->at[2] != 0 || d->at[3] != 0 || d->at[0] > 4)
		return START_NONE;
	return d->at[0];
}

unsigned
hn_effective_start(struct hv_key *service, bool *ret_override)
{
	const struct hv_value *v = hv_value(service, "Start");
	struct hv_data d = v != NULL ? hv_data(v) : (struct hv_data){ 0 };
	unsigned start = v != NULL ? number(&d) : START_NONE, own = start;
	struct hv_key *k = hv_find(service, "StartOverride");

	/* One value for each hardware configuration (research W1); which one
	 * the next machine gets is not known here, so the worst one counts. */
	for (v = k != NULL ? hv_value_first(k) : NULL; v != NULL;
	     v = hv_value_next(v)) {
		d = hv_data(v);
		if (number(&d) > start)
			start = number(&d);
	}
	if (ret_override != NULL)
		*ret_override = start != own;
	return start;
}

/* Is this the beginning of text, whatever its case?  What follows it. */
static const char *
after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The path inside quotes, or all of it, with slashes. */
static char *
bare(const char *image_path, struct err *e)
{
	bool quoted = image_path[0] == '"';
	const char *start = image_path + quoted;
	size_t len = quoted ? strcspn(start, "\"") : strlen(start);
	char *path = mem_strn(start, len, e);

	for (char *c = path; c != NULL && *c != '\0'; c++)
		if (*c == '/')
			*c = '\\';
	return path;
}

static char *
below_root(const struct hn_image *im, const char *below, struct err *e)
{
	char *path = hn_root_path(im, below, e);

	for (char *c = path; c != NULL && *c != '\0'; c++)
		if (*c == '\\')
			*c = '/';
	return path;
}

int
hn_service_file(const struct hn_image *im, struct hv_key *service, char **ret,
		struct err *e)
{
	SCOPED_FREE char *value = NULL, *path = NULL, *name = NULL, *out = NULL;
	size_t volume;
	int r = hv_get_str(service, "ImagePath", &value, e);

	if (r < 0)
		return -1;
	if (r == 0 || value[0] == '\0') {
		name = hv_name(service, e);
		out = name != NULL ? mem_fmt(e, "%s/System32/drivers/%s.sys",
					     im->in->root, name) : NULL;
		if (out == NULL)
			return -1;
		*ret = TAKE(out);
		return 1;
	}
	path = bare(value, e);
	if (path == NULL)
		return -1;
	const char *rest = after(path, "\\SystemRoot\\");

	if (rest == NULL)
		rest = after(path, "%SystemRoot%\\");
	if (rest == NULL && path[0] != '\\' && strchr(path, ':') == NULL)
		rest = path;
	if (rest != NULL) {
		out = below_root(im, rest, e);
	} else {
		r = wn_find_path(im->in, path, &volume, &out, e);
		if (r <= 0)
			return r;
		if (volume != im->in->volume)
			return 0;
	}
	if (out == NULL)
		return -1;
	*ret = TAKE(out);
	return 1;
}
