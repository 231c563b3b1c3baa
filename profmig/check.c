/* check.c - see check.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/check.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "hive/hive.h"

struct scan {
	const struct pm_move *move;
	const char *old;	/* the old profile's folder */
	pm_wrong_fn fn;
	void *arg;
	size_t found;
};

/* Does the text name the old folder, or something in it? */
static bool
names_old(const char *text, const char *old)
{
	size_t n = strlen(old);

	for (const char *p = text; (p = strcasestr(p, old)) != NULL; p++)
		if (p[n] == '\0' || strchr("\\/\"; ,", p[n]) != NULL)
			return true;
	return false;
}

static int
scan_value(struct scan *s, const struct hv_key *k, const struct hv_value *v,
	   struct err *e)
{
	struct hv_data d = hv_data(v);
	SCOPED_FREE char *text = NULL, *path = NULL, *name = NULL,
		*what = NULL;

	if (d.type != HV_SZ && d.type != HV_EXPAND_SZ &&
	    d.type != HV_MULTI_SZ) {
		if (!pm_names_old(s->move, d.at, d.len))
			return 0;
	} else {
		text = utf_from16(d.at, d.len, e);
		if (text == NULL)
			return -1;
		if (!names_old(text, s->old))
			return 0;
	}
	path = hv_path(k, e);
	name = hv_value_name(v, e);
	if (path == NULL || name == NULL)
		return -1;
	what = mem_fmt(e, "HKCU\\%s: %s still names the old profile", path,
		       name);
	if (what == NULL)
		return -1;
	s->found++;
	return s->fn(s->arg, what, e);
}

static int
scan_key(struct scan *s, struct hv_key *k, struct err *e)
{
	for (struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v))
		if (scan_value(s, k, v, e) < 0)
			return -1;
	for (struct hv_key *c = hv_first(k); c != NULL; c = hv_next(c))
		if (scan_key(s, c, e) < 0)
			return -1;
	return 0;
}

int
pm_check_logon(struct wn_install *in, const struct pm_work *w, char **ret_why,
	       struct err *e)
{
	char sid[WN_SID_TEXT];
	const struct wn_user *u = wn_user(in, wn_sid_text(&w->move.sid, sid));

	if (u != NULL)
		return wn_logon(in, u, ret_why, e);
	*ret_why = mem_fmt(e, "%s is not registered", w->move.name);
	return *ret_why == NULL ? -1 : 0;
}

int
pm_check(const struct pm_work *w, pm_wrong_fn fn, void *arg, size_t *ret,
	 struct err *e)
{
	struct scan s = { .move = &w->move,
			  .old = w->move.who->profile, .fn = fn, .arg = arg };
	SCOPED_FREE char *why = NULL, *what = NULL;
	size_t wrong = 0;
	int r;

	r = pm_check_logon(w->move.to, w, &why, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		what = mem_fmt(e, "%s would get a temporary profile: %s",
			       w->move.name, why);
		wrong++;
		if (what == NULL || fn(arg, what, e) < 0)
			return -1;
	}
	if (!utf_same8(s.old, w->move.user.profile) && w->move.has_profile &&
	    scan_key(&s, hv_root(w->base), e) < 0)
		return -1;
	*ret = wrong + s.found;
	return 0;
}
