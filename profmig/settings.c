/* settings.c - see settings.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/settings.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "profmig/settings-private.h"

void
pm_settings_done(struct pm_settings *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct pm_setting *v = &s->at[i];

		free(v->key);
		free(v->name);
		free(v->to_key);
		free(v->to_name);
		free(v->data);
		free(v->why);
	}
	free(s->at);
	*s = (struct pm_settings)PM_SETTINGS_EMPTY;
}

static bool
in_words(const struct pm_words *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (utf_same8(w->at[i], name))
			return true;
	return false;
}

/* What of `key` is below the entry's key, or NULL if it is not for it. */
static const char *
below_entry(const struct pm_registry *g, const char *key)
{
	size_t n = strlen(g->key);

	if (strncasecmp(key, g->key, n) != 0)
		return NULL;
	if (key[n] == '\0')
		return key + n;
	if (!g->below || (n > 0 && key[n] != '\\'))
		return NULL;
	return n > 0 ? key + n + 1 : key;
}

static const char *
last_name(const char *key)
{
	const char *last = strrchr(key, '\\');

	return last == NULL ? key : last + 1;
}

static bool
entry_fits(const struct pm_registry *g, const char *key, const char *name,
	   const char **ret_rest)
{
	const char *rest = below_entry(g, key);
	SCOPED_FREE char *first = NULL;
	struct err none = ERR_INIT;

	if (rest == NULL ||
	    (g->keys.count > 0 && !in_words(&g->keys, last_name(key))) ||
	    (g->values.count > 0 && !in_words(&g->values, name)))
		return false;
	if (*rest == '\0' && in_words(&g->except, name))
		return false;
	if (*rest != '\0' && g->except.count > 0) {
		first = mem_strn(rest, strcspn(rest, "\\"), &none);
		if (first == NULL || in_words(&g->except, first))
			return false;
	}
	*ret_rest = rest;
	return true;
}

static const struct pm_registry *
find_entry(const struct pm_move *m, const char *key, const char *name,
	   const struct pm_rule **ret_rule, const char **ret_rest)
{
	const struct pm_registry *best = NULL;

	for (size_t i = 0; i < m->terms->rules.count; i++) {
		const struct pm_rule *r = &m->terms->rules.at[i];

		if (!pm_move_uses(m, r))
			continue;
		for (size_t k = 0; k < r->registries; k++) {
			const struct pm_registry *g = &r->registry[k];
			const char *rest;

			if (!entry_fits(g, key, name, &rest))
				continue;
			if (best != NULL &&
			    (strlen(g->key) < strlen(best->key) ||
			     (strlen(g->key) == strlen(best->key) &&
			      g->values.count == 0 &&
			      best->values.count > 0)))
				continue;
			best = g;
			*ret_rule = r;
			*ret_rest = rest;
		}
	}
	return best;
}

int
pm_value_drop(struct pm_value *v, const char *why, struct err *e)
{
	free(v->out->why);
	v->out->outcome = PM_DROPPED;
	v->out->why = mem_str(why, e);
	return v->out->why == NULL ? -1 : 0;
}

int
pm_value_set(struct pm_value *v, const void *at, size_t len, struct err *e)
{
	uint8_t *copy = mem_array(len, 1, e);

	if (copy == NULL)
		return -1;
	if (len > 0)
		memcpy(copy, at, len);
	if (v->out->len != len || memcmp(copy, v->out->data, len) != 0)
		v->out->outcome = PM_TRANSFORMED;
	free(v->out->data);
	v->out->data = copy;
	v->out->len = len;
	return 0;
}

/* A string keeps the kind of string that the target has; anything else must
 * have the target's type. */
static int
adapt_type(struct pm_value *v, struct err *e)
{
	struct hv_value *had = v->base == NULL ? NULL :
		hv_value(v->base, v->out->to_name);
	uint32_t type;

	if (had == NULL || v->out->outcome == PM_DROPPED)
		return 0;
	type = hv_data(had).type;
	if (type == v->out->type)
		return 0;
	if ((type == HV_SZ || type == HV_EXPAND_SZ) &&
	    (v->out->type == HV_SZ || v->out->type == HV_EXPAND_SZ)) {
		v->out->type = type;
		v->out->outcome = PM_TRANSFORMED;
		return 0;
	}
	return pm_value_drop(v, "the target keeps another type there", e);
}

/* The key over there; a SID in its name is the new account's. */
static int
new_key(struct pm_value *v, const char *to, const char *rest, struct err *e)
{
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	SCOPED_FREE char *key = mem_fmt(e, "%s%s%s", to,
		*to != '\0' && *rest != '\0' ? "\\" : "", rest);
	size_t hits;

	if (key == NULL ||
	    pm_sid_text(v->from->move, key, &fresh, &hits, e) < 0)
		return -1;
	if (hits > 0)
		v->out->outcome = PM_TRANSFORMED;
	v->out->to_key = buf_take_str(&fresh, e);
	return v->out->to_key == NULL ? -1 : 0;
}

/* A wider entry may mean it, but there is no hive over there to carry it to. */
static bool
in_classes(const struct pm_settings_from *f, const struct pm_setting *s)
{
	return f->classes != NULL &&
		strncasecmp(s->key, "Software\\Classes", 16) == 0 &&
		(s->key[16] == '\0' || s->key[16] == '\\');
}

/* The value by its entry; without one it stays behind. */
static int
decide(const struct pm_settings_from *f, struct pm_settings *s,
       struct pm_setting *out, struct hv_data in, struct err *e)
{
	const struct pm_rule *rule = NULL;
	const char *rest = "";
	const struct pm_registry *g = find_entry(f->move, out->key, out->name,
						 &rule, &rest);
	struct pm_value v = { .from = f, .entry = g, .in = in, .all = s,
			      .out = out };

	if (g == NULL) {
		out->outcome = PM_DROPPED;
		return 0;
	}
	out->rule = rule->name;
	if (g->how == PM_DROP)
		return pm_value_drop(&v, g->why, e);
	if (new_key(&v, g->to_key, rest, e) < 0)
		return -1;
	out->to_name = mem_str(g->to_value != NULL ? g->to_value : out->name,
			       e);
	if (out->to_name == NULL)
		return -1;
	v.base = hv_find(hv_root(f->base), out->to_key);
	if (in_classes(f, out))
		return pm_value_drop(&v, "classes are not carried", e);
	if (pm_transform(&v, e) < 0 || pm_value_sids(&v, e) < 0 ||
	    adapt_type(&v, e) < 0)
		return -1;
	if (out->outcome != PM_DROPPED && out->type == HV_BINARY &&
	    pm_names_old(f->move, out->data, out->len))
		return pm_value_drop(&v, "names the old profile in a form that "
				     "is not known", e);
	if (out->outcome == PM_TRANSFORMED && out->why == NULL &&
	    g->why != NULL) {
		out->why = mem_str(g->why, e);
		return out->why == NULL ? -1 : 0;
	}
	return 0;
}

static int
one_value(const struct pm_settings_from *f, struct pm_settings *s,
	  const char *key, const struct hv_value *value, struct err *e)
{
	struct hv_data in = hv_data(value);
	struct pm_setting out = { .type = in.type };
	int r = -1;

	out.key = mem_str(key, e);
	out.name = hv_value_name(value, e);
	out.data = mem_array(in.len, 1, e);
	if (out.key != NULL && out.name != NULL && out.data != NULL) {
		if (in.len > 0)
			memcpy(out.data, in.at, in.len);
		out.len = in.len;
		r = decide(f, s, &out, in, e);
	}
	/* Derived values may have been added: take the place only now. */
	if (mem_grow(&s->at, &s->cap, s->count + 1, sizeof(*s->at), e) < 0)
		r = -1;
	if (r < 0) {
		struct pm_settings lone = { .count = 1, .at = &out };

		lone.at = mem_array(1, sizeof(out), &(struct err)ERR_INIT);
		if (lone.at != NULL) {
			lone.at[0] = out;
			pm_settings_done(&lone);
		}
		return -1;
	}
	s->at[s->count++] = out;
	return 0;
}

static int
walk(const struct pm_settings_from *f, struct pm_settings *s,
     const char *top, struct hv_key *k, struct err *e)
{
	SCOPED_FREE char *below = hv_path(k, e);
	SCOPED_FREE char *path = below == NULL ? NULL :
		mem_fmt(e, "%s%s%s", top,
			*top != '\0' && *below != '\0' ? "\\" : "", below);

	if (path == NULL)
		return -1;
	for (struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v))
		if (one_value(f, s, path, v, e) < 0)
			return -1;
	for (struct hv_key *sub = hv_first(k); sub != NULL;
	     sub = hv_next(sub))
		if (walk(f, s, top, sub, e) < 0)
			return -1;
	return 0;
}

int
pm_settings_make(const struct pm_settings_from *f, struct pm_settings *ret,
		 struct err *e)
{
	PM_SETTINGS_SCOPED struct pm_settings s = PM_SETTINGS_EMPTY;

	if (walk(f, &s, "", hv_root(f->from), e) < 0 ||
	    (f->classes != NULL &&
	     walk(f, &s, "Software\\Classes", hv_root(f->classes), e) < 0))
		return -1;
	*ret = TAKE(s);
	return 0;
}

int
pm_settings_apply(const struct pm_settings *s, struct hv_hive *h,
		  struct err *e)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct pm_setting *v = &s->at[i];
		struct hv_key *k;

		if (v->outcome == PM_DROPPED)
			continue;
		k = hv_create(hv_root(h), v->to_key, e);
		if (k == NULL ||
		    hv_set(k, v->to_name, v->type, v->data, v->len, e) < 0)
			return -1;
	}
	return 0;
}
