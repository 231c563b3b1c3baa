/* plan_files.c - the files of a migration
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf.h"
#include "profmig/lnk.h"
#include "profmig/work-private.h"
#include "windows/sd.h"

enum { PIECE = 1 << 20, NAMES_TRIED = 1000 };

/* What a file is, before a wish is made of it. */
struct file {
	struct pm_fate *fate;
	struct cs_source from;
	char *name;		/* owned; of the source, if it is not made */
	uint8_t hash[CS_HASH_BYTES];
	uint64_t size;
};

static void
file_done(struct file *f)
{
	free(f->name);
}

static bool
is_folder(const struct pm_item *it)
{
	return (it->attributes & VO_DIRECTORY) != 0;
}

static int
set_why(struct pm_fate *f, enum pm_outcome outcome, const char *why,
	struct err *e)
{
	free(f->why);
	f->outcome = outcome;
	f->why = mem_str(why, e);
	if (outcome == PM_DROPPED)
		free(TAKE(f->to));
	return f->why == NULL ? -1 : 0;
}

/* The file's bytes are these, which become the work's. */
static int
use_made(struct pm_work *w, struct file *f, const char *kind, uint8_t *at,
	 size_t len, struct err *e)
{
	SCOPED_FREE uint8_t *mine = at;
	SCOPED_FREE char *what = mem_fmt(e, "%s %s", kind,
					 f->fate->item->path);

	if (what == NULL)
		return -1;
	hash_of(mine, len, f->hash);
	f->size = len;
	return pm_make(w, what, TAKE(mine), len, &f->from, e);
}

/* ---- links ---- */

/* Is what the link points at there, once everything has arrived?  What is no
 * local file (a server, a control panel) cannot be told, and stays. */
static int
target_there(struct pm_work *w, const struct pm_lnk *l, struct err *e)
{
	SCOPED_FREE char *path = NULL, *inside = NULL;
	size_t volume;
	int r;

	if (l->target == NULL || l->network || l->target[0] == '\\')
		return 1;
	path = wn_expand(w->move.to, &w->move.user, l->target, e);
	if (path == NULL)
		return -1;
	r = wn_find_path(w->move.to, path, &volume, &inside, e);
	if (r < 0)
		return -1;
	return r == 0 ? path[0] == '%' || path[1] != ':' :
		pm_will_exist(w, path, e);
}

/* Point a link at the new place; the fate may become "dropped". */
static int
make_link(struct pm_work *w, struct file *f, struct err *e)
{
	const struct pm_content_at *c =
		&w->move.bundle->content[f->fate->item->content];
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
	BUF_SCOPED struct buf raw = BUF_EMPTY, fresh = BUF_EMPTY;
	struct err why = ERR_INIT;
	bool changed;
	size_t len;
	int r;

	if (c->size > PM_LNK_MAX)
		return 0;
	if (pm_reader_slurp(w->reader, c, PM_LNK_MAX, &raw, e) < 0)
		return -1;
	if (pm_lnk_parse(raw.at, raw.len, &l, &why) < 0)
		return 0;	/* no link, whatever its name says */
	if (pm_lnk_rewrite(&l, &w->move.links, &changed, &why) < 0)
		return set_why(f->fate, PM_DROPPED, why.msg, e);
	r = target_there(w, &l, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return set_why(f->fate, PM_DROPPED, "its target is not on the "
			       "new computer", e);
	if (pm_lnk_build(&l, &fresh, e) < 0)
		return -1;
	if (fresh.len == raw.len && memcmp(fresh.at, raw.at, raw.len) == 0)
		return 0;
	if (set_why(f->fate, PM_TRANSFORMED, changed ? "points to the new "
		    "place" : "forgets the old computer", e) < 0)
		return -1;
	len = fresh.len;
	return use_made(w, f, "link", TAKE(fresh.at), len, e);
}

/* ---- text ---- */

static int
make_text(struct pm_work *w, struct file *f, struct err *e)
{
	const struct pm_content_at *c =
		&w->move.bundle->content[f->fate->item->content];
	SCOPED_FREE uint8_t *fresh = NULL;
	size_t len, missing;
	int r = pm_text_rewrite(w, c, &fresh, &len, &missing, e);

	if (r <= 0)
		return r;
	if (set_why(f->fate, PM_TRANSFORMED, missing == 0 ? "names the new "
		    "folders" : "names the new folders, and files that are "
		    "not on the new computer", e) < 0)
		return -1;
	return use_made(w, f, "text", TAKE(fresh), len, e);
}

/* ---- collisions ---- */

/* Does the file over there hold these bytes? */
static int
same_content(struct vo *vo, const char *path, const struct file *f,
	     uint64_t size, struct err *e)
{
	SCOPED_FREE uint8_t *piece = NULL;
	uint8_t sum[CS_HASH_BYTES];
	struct hash h;
	uint64_t at = 0;
	size_t n = PIECE;

	if (size != f->size)
		return 0;
	piece = mem_array(PIECE, 1, e);
	if (piece == NULL)
		return -1;
	hash_begin(&h);
	while (n == PIECE) {
		if (vo_read(vo, path, at, piece, PIECE, &n, e) < 0)
			return -1;
		hash_add(&h, piece, n);
		at += n;
	}
	hash_end(&h, sum);
	return memcmp(sum, f->hash, sizeof(sum)) == 0;
}

/* "a (2).txt": the nth name beside a taken one. */
static char *
other_name(const char *path, unsigned n, struct err *e)
{
	const char *slash = strrchr(path, '\\');
	const char *dot = strrchr(path, '.');

	if (dot == NULL || (slash != NULL && dot < slash + 2))
		dot = path + strlen(path);
	return mem_fmt(e, "%.*s (%u)%s", (int)(dot - path), path, n, dot);
}

/* What lies at a path over there: 0 nothing, 1 these bytes, 2 others. */
static int
what_is_there(struct pm_work *w, struct cs_plan *plan, const char *path,
	      const struct file *f, uint64_t *ret_modified, struct err *e)
{
	PM_AT_SCOPED struct pm_at at = { .path = NULL };
	struct vo_stat st;
	struct vo *vo;
	int r;

	if (pm_at_find(w->move.to, plan, path, &at, e) < 0)
		return -1;
	vo = w->move.to->guest->volume[at.guest_volume].vo;
	r = vo_stat(vo, at.path, &st, e);
	if (r <= 0)
		return r;
	*ret_modified = st.times.modified;
	if ((st.attributes & VO_DIRECTORY) != 0)
		return 2;
	r = same_content(vo, at.path, f, st.size, e);
	return r < 0 ? -1 : r == 1 ? 1 : 2;
}

/* A free name, or one that holds these bytes already. */
static int
beside(struct pm_work *w, struct cs_plan *plan, struct file *f, struct err *e)
{
	uint64_t modified;

	for (unsigned n = 2; n < NAMES_TRIED; n++) {
		SCOPED_FREE char *name = other_name(f->fate->to, n, e);
		int r = name == NULL ? -1 :
			what_is_there(w, plan, name, f, &modified, e);

		if (r < 0)
			return -1;
		if (r == 2 || pm_names_has(&w->there, name))
			continue;
		free(f->fate->to);
		f->fate->to = TAKE(name);
		return set_why(f->fate, PM_TRANSFORMED, "the name was taken "
			       "by another file", e);
	}
	return set_why(f->fate, PM_DROPPED, "all names are taken", e);
}

/* Another file of that name, there or in the plan. */
static int
collide(struct pm_work *w, struct cs_plan *plan, struct file *f,
	uint64_t modified, struct err *e)
{
	enum pm_conflict how = f->fate->conflict;

	if (how == PM_TAKE_NEWER)
		how = f->fate->item->times[1] > modified ? PM_TAKE_SOURCE :
			PM_KEEP_TARGET;
	if (how == PM_TAKE_SOURCE)
		return 0;
	if (how == PM_KEEP_TARGET)
		return set_why(f->fate, PM_DROPPED, "the target has its own",
			       e);
	return beside(w, plan, f, e);
}

static int
settle_name(struct pm_work *w, struct cs_plan *plan, struct file *f,
	    struct err *e)
{
	uint64_t modified = 0;
	int r;

	/* Taken by the copy of Default, or by another item. */
	if (pm_names_has(&w->there, f->fate->to))
		return collide(w, plan, f, 0, e);
	r = what_is_there(w, plan, f->fate->to, f, &modified, e);
	if (r == 2)
		return collide(w, plan, f, modified, e);
	return r < 0 ? -1 : 0;
}

/* ---- wishes ---- */

/* In the profile by its template; outside by what it had, translated. */
static char *
security(struct pm_work *w, const struct pm_fate *f, struct err *e)
{
	const struct pm_item *it = f->item;
	const struct pm_descriptor *d =
		&w->move.bundle->descriptor[it->security];
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	BUF_SCOPED struct buf text = BUF_EMPTY;
	struct err why = ERR_INIT;

	if (strncasecmp(f->to, w->move.user.profile,
			strlen(w->move.user.profile)) == 0 ||
	    wn_sd_parse(d->at, d->len, &sd, &why) < 0)
		return pm_sddl(w, is_folder(it) ? PM_SDDL_FOLDER :
			       PM_SDDL_FILE, e);
	if (pm_sd_translate(&w->move, &sd, e) < 0)
		return NULL;
	sd.sacl = (struct wn_acl){ .present = false };
	if (wn_sd_to_sddl(&sd, &text, &why) < 0)
		return pm_sddl(w, is_folder(it) ? PM_SDDL_FOLDER :
			       PM_SDDL_FILE, e);
	return buf_take_str(&text, e);
}

static int
want_streams(struct pm_work *w, struct cs_plan *plan, const struct pm_at *at,
	     const struct pm_item *it, struct cs_reason why, struct err *e)
{
	for (size_t i = 0; i < it->streams; i++) {
		SCOPED_FREE char *name = NULL;
		struct cs_source from;

		if (pm_of_bundle(w, "stream", it->path, it->stream[i].name,
				 it->stream[i].content, &from, &name, e) < 0)
			return -1;
		cs_want_stream(plan, at->volume, at->path, it->stream[i].name,
			       from, why);
	}
	return cs_ok(plan, e);
}

/*
 * Another name of a file that is planned already becomes a hard link to it:
 * 1.  0: it is the first, or the target has a file of its own there.
 */
static int
want_link(struct pm_work *w, struct cs_plan *plan, const struct pm_at *at,
	  const struct pm_item *it, struct cs_reason why, struct err *e)
{
	struct vo *vo = w->move.to->guest->volume[at->guest_volume].vo;
	struct vo_stat here, first;
	struct pm_twin *t = NULL;
	int r;

	for (size_t i = 0; i < w->twins && t == NULL; i++)
		if (w->twin[i].link_id == it->link_id &&
		    w->twin[i].guest_volume == at->guest_volume)
			t = &w->twin[i];
	if (t != NULL) {
		r = vo_stat(vo, at->path, &here, e);
		if (r == 1)
			r = vo_stat(vo, t->path, &first, e) == 1 &&
				first.id == here.id ? 0 : 2;
		if (r != 0)
			return r < 0 || e->kind != ERR_NONE ? -1 : 0;
		cs_want_link(plan, at->volume, at->path, t->path, why);
		return cs_ok(plan, e) < 0 ? -1 : 1;
	}
	if (mem_grow(&w->twin, &w->twin_cap, w->twins + 1, sizeof(*w->twin),
		     e) < 0)
		return -1;
	t = &w->twin[w->twins];
	*t = (struct pm_twin){ .link_id = it->link_id,
			       .guest_volume = at->guest_volume };
	t->path = mem_str(at->path, e);
	if (t->path == NULL)
		return -1;
	w->twins++;
	return 0;
}

static int
want_item(struct pm_work *w, struct cs_plan *plan, struct file *f,
	  struct err *e)
{
	const struct pm_item *it = f->fate->item;
	const struct cs_reason why = {
		.rule = f->fate->rule, .why = f->fate->why != NULL ?
			f->fate->why : "belongs to the person",
	};
	const struct cs_meta meta = {
		.has_attributes = true, .has_times = true,
		.attributes = it->attributes & VO_SETTABLE,
		.times = { it->times[0], it->times[1], it->times[2],
			   it->times[3] },
	};
	PM_AT_SCOPED struct pm_at at = { .path = NULL };
	SCOPED_FREE char *sddl = security(w, f->fate, e);
	int r;

	if (sddl == NULL ||
	    pm_at_find(w->move.to, plan, f->fate->to, &at, e) < 0)
		return -1;
	r = pm_names_add(&w->there, f->fate->to, e);
	if (r < 0)
		return -1;
	if (is_folder(it)) {
		/* What Default brings, or another item, is as it is. */
		if (r == 0 || w->move.to->guest->volume[at.guest_volume].vo ==
		    NULL)
			return 0;
		r = wn_path_exists(w->move.to, f->fate->to, e);
		if (r < 0)
			return -1;
		cs_want_directory(plan, at.volume, at.path, why);
		if (r == 1)
			return cs_ok(plan, e);
	} else {
		if (it->link_id != 0 && f->fate->content == PM_AS_IS) {
			r = want_link(w, plan, &at, it, why, e);
			if (r != 0)
				return r < 0 ? -1 : 0;
		}
		cs_want_file(plan, at.volume, at.path, f->from, why);
		w->bytes += f->size;
	}
	cs_want_security(plan, at.volume, at.path, sddl, why);
	cs_want_meta(plan, at.volume, at.path, &meta, why);
	return want_streams(w, plan, &at, it, why, e);
}

static int
plan_one(struct pm_work *w, struct cs_plan *plan, struct pm_fate *fate,
	 struct err *e)
{
	SCOPED(file_done) struct file f = { .fate = fate };
	const struct pm_item *it = fate->item;

	if (!is_folder(it)) {
		const struct pm_content_at *c;

		if (it->content == PM_NO_CONTENT)
			return set_why(fate, PM_DROPPED, "has no content", e);
		c = &w->move.bundle->content[it->content];
		f.size = c->size;
		memcpy(f.hash, c->hash, sizeof(f.hash));
		if (pm_of_bundle(w, "file", it->path, NULL, it->content,
				 &f.from, &f.name, e) < 0 ||
		    (fate->content == PM_LINKS && make_link(w, &f, e) < 0) ||
		    (fate->content == PM_TEXT && make_text(w, &f, e) < 0))
			return -1;
		if (fate->outcome == PM_DROPPED)
			return 0;
		if (settle_name(w, plan, &f, e) < 0)
			return -1;
	}
	return fate->outcome == PM_DROPPED ? 0 : want_item(w, plan, &f, e);
}

/* Folders and plain files first: links and texts ask what will be there. */
int
pm_plan_files(struct pm_work *w, struct cs_plan *plan, struct err *e)
{
	for (int made = 0; made <= 1; made++)
		for (size_t i = 0; i < w->fates.count; i++) {
			struct pm_fate *f = &w->fates.at[i];

			if (f->outcome == PM_DROPPED || f->to == NULL ||
			    (f->content != PM_AS_IS) != (made == 1))
				continue;
			if (plan_one(w, plan, f, e) < 0)
				return -1;
		}
	return 0;
}
