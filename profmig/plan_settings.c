/* plan_settings.c - the registry part of a migration
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "profmig/work-private.h"

enum { HIVE_MAX = 1 << 30 };

static int
load_old(struct pm_work *w, struct err *e)
{
	const struct pm_bundle *b = w->move.bundle;
	BUF_SCOPED struct buf raw = BUF_EMPTY;

	if (w->move.who->ntuser == PM_NO_CONTENT)
		return err_set(e, ERR_CORRUPT, "%s: the bundle has no hive",
			       w->move.who->name);
	if (pm_reader_slurp(w->reader, &b->content[w->move.who->ntuser],
			    HIVE_MAX, &raw, e) < 0)
		return -1;
	w->old = hv_open("NTUSER.DAT of the bundle", raw.at, raw.len, NULL, 0,
			 HV_LOGS_READ, e);
	return w->old == NULL ? -1 : 0;
}

/* Only for the report, so one that cannot be read is no reason to stop. */
static int
load_classes(struct pm_work *w, struct err *e)
{
	const struct pm_bundle *b = w->move.bundle;
	BUF_SCOPED struct buf raw = BUF_EMPTY;
	struct err why = ERR_INIT;

	if (w->move.who->usrclass == PM_NO_CONTENT)
		return 0;
	if (pm_reader_slurp(w->reader, &b->content[w->move.who->usrclass],
			    HIVE_MAX, &raw, e) < 0)
		return -1;
	w->classes = hv_open("UsrClass.dat of the bundle", raw.at, raw.len,
			     NULL, 0, HV_LOGS_READ, &why);
	return why.kind == ERR_NOMEM ? err_set(e, why.kind, "%s", why.msg) : 0;
}

static int
load_base(struct pm_work *w, struct err *e)
{
	struct wn_user start = w->move.user;

	if (!w->move.has_profile)
		start.profile = w->move.to->default_profile;
	w->base = wn_user_hive(w->move.to, &start, WN_NTUSER, HV_LOGS_REPLAY,
			       e);
	return w->base == NULL ? -1 : 0;
}

/* Where the picture behind the desktop goes, if the bundle has it. */
static const char *
wallpaper(const struct pm_work *w)
{
	for (size_t i = 0; i < w->fates.count; i++)
		if ((w->fates.at[i].item->flags & PM_ITEM_WALLPAPER) != 0)
			return w->fates.at[i].to;
	return NULL;
}

/* The whole new hive is one file of the plan. */
static int
want_hive(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	static const struct cs_reason why = {
		.rule = "new-profile", .why = "Default's hive, the person let "
			"in, and the settings that the rules carry",
	};
	const struct cs_meta meta = {
		.has_attributes = true, .attributes = VO_HIDDEN | VO_ARCHIVE,
	};
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	PM_AT_SCOPED struct pm_at at = { .path = NULL };
	SCOPED_FREE char *path = mem_fmt(e, "%s\\NTUSER.DAT",
					 w->move.user.profile);
	SCOPED_FREE char *sddl = pm_sddl(w, PM_SDDL_FILE, e);
	struct cs_source from;

	hv_set_clock(w->base, w->move.bundle->origin.taken);
	if (path == NULL || sddl == NULL ||
	    pm_own_hive(w->base, &w->move.sid, e) < 0 ||
	    pm_settings_apply(&w->settings, w->base, e) < 0 ||
	    hv_serialize(w->base, &fresh, e) < 0 ||
	    pm_at_find(w->move.to, plan, path, &at, e) < 0)
		return -1;
	size_t len = fresh.len;
	if (pm_make(w, "hive", TAKE(fresh.at), len, &from, e) < 0)
		return -1;
	cs_want_file(plan, at.volume, at.path, from, why);
	cs_want_security(plan, at.volume, at.path, sddl, why);
	cs_want_meta(plan, at.volume, at.path, &meta, why);
	return cs_ok(plan, e);
}

static int
want_value(struct pm_work *w, struct cs_plan *plan, struct cs_hive h,
	   const struct pm_setting *s, struct err *e)
{
	const struct cs_reason why = {
		.rule = s->rule,
		.why = s->why != NULL ? s->why : "the person's setting",
	};
	SCOPED_FREE char *what = NULL;
	SCOPED_FREE uint8_t *copy = NULL;
	struct cs_source from;

	if (s->len <= CS_INLINE_MAX) {
		cs_want_value(plan, h, s->to_key, s->to_name, s->type, s->data,
			      s->len, why);
		return cs_ok(plan, e);
	}
	what = mem_fmt(e, "value %s\\%s", s->to_key, s->to_name);
	copy = mem_array(s->len, 1, e);
	if (what == NULL || copy == NULL)
		return -1;
	memcpy(copy, s->data, s->len);
	if (pm_make(w, what, TAKE(copy), s->len, &from, e) < 0)
		return -1;
	cs_want_value_from(plan, h, s->to_key, s->to_name, s->type, from, why);
	return cs_ok(plan, e);
}

static int
want_values(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	PM_AT_SCOPED struct pm_at at = { .path = NULL };
	SCOPED_FREE char *path = mem_fmt(e, "%s\\NTUSER.DAT",
					 w->move.user.profile);
	struct cs_hive h;

	if (path == NULL ||
	    pm_at_find(w->move.to, plan, path, &at, e) < 0)
		return -1;
	h = (struct cs_hive){ .volume = at.volume, .path = at.path };
	for (size_t i = 0; i < w->settings.count; i++)
		if (w->settings.at[i].outcome != PM_DROPPED &&
		    want_value(w, plan, h, &w->settings.at[i], e) < 0)
			return -1;
	return 0;
}

int
pm_will_exist(void *work, const char *path, struct err *e)
{
	const struct pm_work *w = work;

	if (pm_names_has(&w->there, path))
		return 1;
	return wn_path_exists(w->move.to, path, e);
}

int
pm_plan_settings(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	struct pm_settings_from f = {
		.move = &w->move, .exists = pm_will_exist, .arg = w,
	};

	if (load_old(w, e) < 0 || load_classes(w, e) < 0 ||
	    load_base(w, e) < 0)
		return -1;
	f.from = w->old;
	f.classes = w->classes;
	f.base = w->base;
	f.wallpaper = wallpaper(w);
	if (pm_settings_make(&f, &w->settings, e) < 0)
		return -1;
	return w->move.has_profile ? want_values(w, plan, e) :
		want_hive(w, plan, e);
}
