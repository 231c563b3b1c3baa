/* work.c - see work.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/work.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "profmig/work-private.h"

void
pm_work_done(struct pm_work *w)
{
	pm_move_done(&w->move);
	pm_fates_done(&w->fates);
	pm_settings_done(&w->settings);
	pm_names_done(&w->there);
	hv_free(&w->old);
	hv_free(&w->base);
	hv_free(&w->classes);
	free(w->prefix);
	for (size_t i = 0; i < w->mades; i++) {
		free(w->made[i].name);
		free(w->made[i].at);
	}
	free(w->made);
	for (size_t i = 0; i < w->twins; i++)
		free(w->twin[i].path);
	free(w->twin);
	*w = (struct pm_work)PM_WORK_EMPTY;
}

void
pm_at_done(struct pm_at *a)
{
	free(a->path);
}

int
pm_at_find(const struct wn_install *in, struct cs_plan *plan, const char *path,
	   struct pm_at *ret, struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct pm_at at = { .path = NULL };
	struct vo *vo;
	int r = wn_find_path(in, path, &at.guest_volume, &inside, e);

	if (r < 0)
		return -1;
	vo = r == 0 ? NULL : in->guest->volume[at.guest_volume].vo;
	if (vo == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: lies on no volume of "
			       "the target", path);
	at.volume = cs_plan_volume(plan, vo_facts(vo)->serial);
	at.path = mem_fmt(e, "/%s", inside);
	if (at.path == NULL)
		return -1;
	*ret = at;
	return 0;
}

int
pm_make(struct pm_work *w, const char *what, uint8_t *at, size_t len,
	struct cs_source *ret, struct err *e)
{
	SCOPED_FREE uint8_t *mine = at;
	struct pm_made *m;

	if (mem_grow(&w->made, &w->made_cap, w->mades + 1, sizeof(*w->made),
		     e) < 0)
		return -1;
	m = &w->made[w->mades];
	m->name = mem_fmt(e, "%s%s", w->prefix, what);
	if (m->name == NULL)
		return -1;
	m->at = TAKE(mine);
	m->len = len;
	w->mades++;
	*ret = (struct cs_source){ .origin = CS_BUNDLE, .path = m->name,
				   .size = len };
	hash_of(m->at, len, ret->hash);
	return 0;
}

int
pm_of_bundle(const struct pm_work *w, const char *kind, const char *path,
	     const char *stream, int64_t content, struct cs_source *ret,
	     char **ret_name, struct err *e)
{
	const struct pm_content_at *c = &w->move.bundle->content[content];

	*ret_name = mem_fmt(e, "%s%s %s%s%s", w->prefix, kind, path,
			    stream == NULL ? "" : ":",
			    stream == NULL ? "" : stream);
	if (*ret_name == NULL)
		return -1;
	*ret = (struct cs_source){ .origin = CS_BUNDLE, .path = *ret_name,
				   .size = c->size };
	memcpy(ret->hash, c->hash, sizeof(ret->hash));
	return 0;
}

/* Twice what arrives is never too little: small files take a whole cluster. */
static int
check_room(const struct pm_work *w, struct err *e)
{
	const struct vo_facts *f = vo_facts(wn_vo(w->move.to));
	uint64_t free_bytes = f->free_clusters * f->cluster;
	uint64_t need = w->bytes + w->fates.count * f->cluster;

	if (need <= free_bytes)
		return 0;
	return err_set(e, ERR_UNSAFE, "%s: needs %llu MiB, the target has "
		       "%llu MiB free", w->move.who->name,
		       (unsigned long long)(need >> 20) + 1,
		       (unsigned long long)(free_bytes >> 20));
}

int
pm_work_make(struct pm_bundle *b, struct pm_reader *reader,
	     const struct pm_person *who, struct wn_install *to,
	     const char *as, struct pm_terms *terms,
	     struct cs_plan *plan, struct pm_work *ret, struct err *e)
{
	PM_WORK_SCOPED struct pm_work w = { .reader = reader };

	if (as == NULL)
		as = pm_map_find(terms, b, who);
	if (pm_move_make(b, who, to, as, terms, &w.move, e) < 0)
		return -1;
	w.move.user.name = w.move.name;
	w.prefix = as == NULL ? mem_fmt(e, "%s/", who->name) :
		mem_fmt(e, "%s>%s/", who->name, as);
	if (w.prefix == NULL || pm_place(&w.move, &w.fates, e) < 0)
		return -1;
	if (!w.move.has_profile && pm_start_profile(&w, plan, e) < 0)
		return -1;
	if (pm_plan_files(&w, plan, e) < 0 ||
	    pm_plan_settings(&w, plan, e) < 0 || check_room(&w, e) < 0)
		return -1;
	*ret = TAKE(w);
	return 0;
}

/* ---- what a plan's contents come from ---- */

void
pm_source_done(struct pm_source *s)
{
	for (size_t i = 0; i < s->works; i++)
		pm_work_done(&s->work[i]);
	free(s->work);
	free(s->sorted);
	*s = (struct pm_source)PM_SOURCE_EMPTY;
}

static int
by_path(const void *a, const void *b)
{
	const struct pm_item *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static const struct pm_item *
find_item(struct pm_source *s, const struct pm_person *p, const char *path,
	  struct err *e)
{
	const struct pm_item key = { .path = (char *)(uintptr_t)path };
	const struct pm_item *k = &key;
	const struct pm_item **found;

	if (s->sorted_for != p) {
		const struct pm_item **all = mem_array(p->items, sizeof(*all),
						       e);
		if (all == NULL)
			return NULL;
		for (size_t i = 0; i < p->items; i++)
			all[i] = &p->item[i];
		mem_sort(all, p->items, sizeof(*all), by_path);
		free(s->sorted);
		s->sorted = all;
		s->sorted_for = p;
	}
	found = bsearch(&k, s->sorted, p->items, sizeof(*s->sorted), by_path);
	return found == NULL ? NULL : *found;
}

static int64_t
find_content(struct pm_source *s, const struct pm_person *p, const char *what,
	     struct err *e)
{
	const struct pm_item *it;
	char *colon;

	if (strncmp(what, "file ", 5) == 0) {
		it = find_item(s, p, what + 5, e);
		return it == NULL ? PM_NO_CONTENT : it->content;
	}
	if (strncmp(what, "stream ", 7) != 0)
		return PM_NO_CONTENT;
	SCOPED_FREE char *path = mem_str(what + 7, e);
	colon = path == NULL ? NULL : strrchr(path, ':');
	if (colon == NULL)
		return PM_NO_CONTENT;
	*colon = '\0';
	it = find_item(s, p, path, e);
	for (size_t i = 0; it != NULL && i < it->streams; i++)
		if (strcmp(it->stream[i].name, colon + 1) == 0)
			return it->stream[i].content;
	return PM_NO_CONTENT;
}

static const struct pm_made *
find_made(const struct pm_source *s, const char *name)
{
	for (size_t i = 0; i < s->works; i++)
		for (size_t k = 0; k < s->work[i].mades; k++)
			if (strcmp(s->work[i].made[k].name, name) == 0)
				return &s->work[i].made[k];
	return NULL;
}

/* "alice>carol/hive": the person, and as whom (NULL: as the same). */
static int
split_name(struct pm_source *s, const char *path,
	   const struct pm_person **ret, char **ret_as, struct err *e)
{
	const char *slash = strchr(path, '/');
	SCOPED_FREE char *name = mem_strn(path, slash == NULL ? 0 :
					  (size_t)(slash - path), e);
	char *as;

	if (name == NULL)
		return -1;
	as = strchr(name, '>');
	if (as != NULL)
		*as++ = '\0';
	*ret = slash == NULL ? NULL : pm_bundle_person(s->bundle, name, e);
	if (*ret == NULL)
		return err_set(e, ERR_UNSAFE, "%s: not in this bundle", path);
	*ret_as = NULL;
	if (as != NULL) {
		*ret_as = mem_str(as, e);
		return *ret_as == NULL ? -1 : 0;
	}
	return 0;
}

static int
prepare_one(struct pm_source *s, const char *path, struct err *e)
{
	CS_PLAN_SCOPED struct cs_plan *scratch = NULL;
	const size_t n = strcspn(path, "/") + 1;
	const struct pm_person *p;
	SCOPED_FREE char *as = NULL;

	for (size_t i = 0; i < s->works; i++)
		if (strncmp(s->work[i].prefix, path, n) == 0)
			return 0;
	if (split_name(s, path, &p, &as, e) < 0)
		return -1;
	scratch = cs_plan_new("again", e);
	if (scratch == NULL ||
	    mem_grow(&s->work, &s->cap, s->works + 1, sizeof(*s->work), e) < 0)
		return -1;
	s->work[s->works] = (struct pm_work)PM_WORK_EMPTY;
	if (pm_work_make(s->bundle, s->reader, p, s->to, as, s->terms, scratch,
			 &s->work[s->works], e) < 0)
		return -1;
	s->works++;
	return 0;
}

/* Is it a content of this person's? */
static bool
is_of(const struct cs_side *want, const struct pm_person *p)
{
	const size_t n = strlen(p->name);

	return want->have == CS_FROM && want->origin == CS_BUNDLE &&
		strncmp(want->path, p->name, n) == 0 &&
		(want->path[n] == '/' || want->path[n] == '>');
}

/* In the bundle's order, as the plan was made: accounts that are made get
 * their numbers in turn. */
int
pm_source_prepare(struct pm_source *s, const struct cs_plan *plan,
		  struct err *e)
{
	for (size_t i = 0; i < s->bundle->people; i++)
		for (size_t k = 0; k < plan->count; k++) {
			const struct cs_side *want = &plan->at[k].want;

			if (!is_of(want, &s->bundle->person[i]))
				continue;
			if (prepare_one(s, want->path, e) < 0)
				return -1;
			break;
		}
	return 0;
}

int
pm_fetch(void *arg, struct cs_target *t, const struct cs_side *from,
	 cs_sink_fn sink, void *sink_arg, struct err *e)
{
	struct pm_source *s = arg;
	const struct pm_made *m = find_made(s, from->path);
	const struct pm_person *p;
	SCOPED_FREE char *as = NULL;
	int64_t content;

	(void)t;
	if (m != NULL)
		return sink(sink_arg, m->at, m->len, e);
	if (split_name(s, from->path, &p, &as, e) < 0)
		return -1;
	content = find_content(s, p, strchr(from->path, '/') + 1, e);
	if (content == PM_NO_CONTENT)
		return err_set(e, ERR_UNSAFE, "%s: not in this bundle; make "
			       "the plan again", from->path);
	return pm_reader_content(s->reader, &s->bundle->content[content],
				 sink, sink_arg, e);
}
