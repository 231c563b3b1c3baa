/* identity.c - see identity.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/identity.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/utf.h"
#include "change/plan.h"
#include "profmig/move.h"

enum { RID_ADMIN = 500, RID_USERS = 513 };

void
pm_terms_done(struct pm_terms *t)
{
	pm_rules_done(&t->rules);
	for (size_t i = 0; i < t->pairs; i++) {
		free(t->pair[i].from);
		free(t->pair[i].to);
	}
	free(t->pair);
	wn_sam_free(&t->sam);
	*t = (struct pm_terms)PM_TERMS_EMPTY;
}

/* ---- the list ---- */

/* The text without blanks around it. */
static char *
trimmed(const char *at, size_t n, struct err *e)
{
	while (n > 0 && (at[0] == ' ' || at[0] == '\t')) {
		at++;
		n--;
	}
	while (n > 0 && strchr(" \t\r", at[n - 1]) != NULL)
		n--;
	return mem_strn(at, n, e);
}

static int
add_pair(struct pm_terms *t, const char *name, unsigned line, char *from,
	 char *to, struct err *e)
{
	struct pm_pair p = { .from = from, .to = to };
	struct err none = ERR_INIT;
	const bool sid = wn_sid_from_text(from, &p.from_sid, &none) == 0;

	if (*from == '\0' || *to == '\0' || strchr(to, ',') != NULL)
		return err_set(e, ERR_USAGE, "%s:%u: a line is OLD,NEW",
			       name, line);
	none = (struct err)ERR_INIT;
	if (wn_sid_from_text(to, &p.to_sid, &none) < 0)
		p.to_sid.len = 0;	/* a name */
	if (sid && p.from_sid.len != p.to_sid.len && p.to_sid.len != 0)
		return err_set(e, ERR_USAGE, "%s:%u: an account and a domain "
			       "cannot stand for each other", name, line);
	for (size_t i = 0; i < t->pairs; i++)
		if (utf_same8(t->pair[i].from, from))
			return err_set(e, ERR_USAGE, "%s:%u: %s comes twice",
				       name, line, from);
	if (t->pairs == PM_MAP_MAX ||
	    mem_grow(&t->pair, &t->cap, t->pairs + 1, sizeof(*t->pair), e) < 0)
		return err_set(e, ERR_USAGE, "%s: more than %d lines", name,
			       PM_MAP_MAX);
	t->pair[t->pairs++] = p;
	return 0;
}

int
pm_map_parse(struct pm_terms *t, const char *name, const char *text,
	     struct err *e)
{
	unsigned line = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, "\n"), comma = strcspn(text, ",\n");
		SCOPED_FREE char *from = NULL, *to = NULL;

		line++;
		if (strspn(text, " \t\r") < n && text[0] != '#') {
			from = trimmed(text, comma, e);
			to = trimmed(text + comma + (comma < n),
				     n - comma - (comma < n), e);
			if (from == NULL || to == NULL ||
			    add_pair(t, name, line, from, to, e) < 0)
				return -1;
			(void)TAKE(from);
			(void)TAKE(to);
		}
		text += n + (text[n] == '\n');
	}
	return 0;
}

int
pm_map_load(struct pm_terms *t, const char *path, struct err *e)
{
	SCOPED_FREE uint8_t *raw = NULL;
	SCOPED_FREE char *text = NULL;
	size_t len, skip;

	if (io_slurp(path, PM_MAP_BYTES, &raw, &len, e) < 0)
		return -1;
	if (!utf_valid8(raw, len) || memchr(raw, '\0', len) != NULL)
		return err_set(e, ERR_USAGE, "%s: is no UTF-8 text", path);
	/* What a spreadsheet puts in front. */
	skip = len >= 3 && memcmp(raw, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	text = mem_strn((const char *)raw + skip, len - skip, e);
	return text == NULL ? -1 : pm_map_parse(t, path, text, e);
}

const char *
pm_map_find(const struct pm_terms *t, const struct pm_bundle *b,
	    const struct pm_person *p)
{
	const char *domain = b->origin.domain;
	size_t flat = domain == NULL ? 0 : strcspn(domain, ".");

	for (size_t i = 0; i < t->pairs; i++) {
		const struct pm_pair *pair = &t->pair[i];
		const char *slash = strchr(pair->from, '\\');

		if (pair->from_sid.len != 0 ?
		    wn_sid_same(&pair->from_sid, &p->sid) :
		    slash == NULL ? utf_same8(pair->from, p->name) :
		    utf_same8(slash + 1, p->name) &&
		    p->account == WN_ACCOUNT_DOMAIN && domain != NULL &&
		    (size_t)(slash - pair->from) == flat &&
		    strncasecmp(pair->from, domain, flat) == 0)
			return pair->to;
	}
	return NULL;
}

/* ---- accounts ---- */

int
pm_account_make(struct pm_terms *t, struct wn_install *to, const char *name,
		struct wn_sid *ret, struct err *e)
{
	uint32_t rid;

	if (t->sam == NULL)
		t->sam = wn_sam_open(to, e);
	if (t->sam == NULL || wn_sam_add(t->sam, name, &rid, e) < 0)
		return -1;
	*ret = wn_sid_add_rid(&to->machine_sid, rid);
	return 0;
}

struct wishing {
	struct cs_plan *plan;
	struct cs_hive hive;
};

static int
wish(void *arg, const char *key, const char *name, struct hv_data data,
     struct err *e)
{
	static const struct cs_reason why = {
		.rule = "new-account",
		.why = "a local account that the target lacks",
	};
	struct wishing *w = arg;

	cs_want_value(w->plan, w->hive, key, name, data.type, data.at,
		      data.len, why);
	return cs_ok(w->plan, e);
}

int
pm_accounts_wish(const struct pm_terms *t, const struct wn_install *to,
		 struct cs_plan *plan, struct err *e)
{
	SCOPED_FREE char *hive = NULL;
	struct wishing w = { .plan = plan };

	if (t->sam == NULL)
		return 0;
	hive = mem_fmt(e, "/%s", to->hive_path[WN_SAM]);
	if (hive == NULL)
		return -1;
	w.hive = (struct cs_hive){
		cs_plan_volume(plan, vo_facts(wn_vo(to))->serial), hive,
	};
	return wn_sam_changes(t->sam, wish, &w, e);
}

/* ---- SIDs ---- */

/* An account of a domain that the list names by its SID. */
static bool
by_domain(const struct pm_pair *p, const struct wn_sid *old,
	  struct wn_sid *ret)
{
	const size_t n = p->from_sid.len;

	if (n == 0 || p->to_sid.len == 0 || old->len != n + 4 ||
	    old->at[0] != p->from_sid.at[0] ||
	    memcmp(old->at + 2, p->from_sid.at + 2, n - 2) != 0)
		return false;
	*ret = wn_sid_add_rid(&p->to_sid, wn_sid_rid(old));
	return true;
}

static bool
same_domain(const struct pm_move *m)
{
	const char *a = m->bundle->origin.domain, *b = m->to->domain;

	return a != NULL && b != NULL && utf_same8(a, b);
}

bool
pm_sid(const struct pm_move *m, const struct wn_sid *old, struct wn_sid *ret)
{
	const struct wn_sid *machine = &m->bundle->origin.machine_sid;
	const uint32_t rid = wn_sid_rid(old);

	if (wn_sid_same(old, &m->who->sid)) {
		*ret = m->sid;
		return true;
	}
	for (size_t i = 0; i < m->terms->pairs; i++) {
		const struct pm_pair *p = &m->terms->pair[i];

		if (p->to_sid.len != 0 && wn_sid_same(old, &p->from_sid)) {
			*ret = p->to_sid;
			return true;
		}
		if (by_domain(p, old, ret))
			return true;
	}
	if (!wn_sid_is_account(old))
		return false;
	if (machine->len != 0 && old->len == machine->len + 4 &&
	    memcmp(old->at + 2, machine->at + 2, machine->len - 2u) == 0) {
		/* Of the old machine: its group of users, and whoever was
		 * its administrator when the profile was made. */
		if (rid == RID_USERS)
			*ret = wn_sid_with_rid(&m->sid, RID_USERS);
		else if (rid == RID_ADMIN)
			*ret = m->sid;
		return rid == RID_USERS || rid == RID_ADMIN;
	}
	if (wn_sid_same_domain(old, &m->sid) || same_domain(m)) {
		*ret = *old;
		return true;
	}
	return false;
}

int
pm_sd_translate(const struct pm_move *m, struct wn_sd *sd, struct err *e)
{
	const size_t most = sd->dacl.count + sd->sacl.count + 2;
	SCOPED_FREE struct wn_sid_map *map = mem_array(most, sizeof(*map), e);
	const struct wn_sid *all[2] = { &sd->owner, &sd->group };
	const struct wn_acl *lists[2] = { &sd->dacl, &sd->sacl };
	size_t n = 0;

	if (map == NULL)
		return -1;
	for (size_t i = 0; i < 2; i++)
		if (all[i]->len != 0 && pm_sid(m, all[i], &map[n].to))
			map[n++].from = *all[i];
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->count; k++) {
			const struct wn_sid *sid = &lists[i]->at[k].sid;

			if (sid->len != 0 && pm_sid(m, sid, &map[n].to))
				map[n++].from = *sid;
		}
	/* No domain is kept as a whole: what is kept is in the map. */
	wn_sd_translate(sd, map, n, &(struct wn_sid){ .len = 0 }, &m->sid,
			NULL);
	return 0;
}

int
pm_sid_text(const struct pm_move *m, const char *text, struct buf *out,
	    size_t *ret_hits, struct err *e)
{
	size_t hits = 0;

	while (*text != '\0') {
		struct err none = ERR_INIT;
		struct wn_sid old, fresh;
		char old_text[WN_SID_TEXT], fresh_text[WN_SID_TEXT];
		size_t n = strncasecmp(text, "S-1-", 4) == 0 ?
			4 + strspn(text + 4, "0123456789-") : 0;

		while (n > 4 && text[n - 1] == '-')
			n--;
		if (n <= 4 || n >= sizeof(old_text)) {
			buf_u8(out, (uint8_t)*text++);
			continue;
		}
		memcpy(old_text, text, n);
		old_text[0] = 'S';
		old_text[n] = '\0';
		if (wn_sid_from_text(old_text, &old, &none) == 0 &&
		    pm_sid(m, &old, &fresh) && !wn_sid_same(&old, &fresh)) {
			buf_str(out, wn_sid_text(&fresh, fresh_text));
			hits++;
		} else {
			buf_bytes(out, text, n);
		}
		text += n;
	}
	*ret_hits = hits;
	return buf_ok(out, e);
}

size_t
pm_sid_bytes(const struct pm_move *m, uint8_t *at, size_t len)
{
	const size_t domain_head = 16;	/* revision to the third number */
	size_t hits = 0;

	for (size_t i = 0; i + domain_head < len; i++) {
		struct err none = ERR_INIT;
		struct wn_sid old, fresh;
		size_t n = 8 + 4 * (size_t)at[i + 1];

		/* S-1-5-21-...: the only kind that is another over there. */
		if (at[i] != 1 || at[i + 1] != 5 || n > len - i ||
		    memcmp(at + i + 2, "\0\0\0\0\0\5\25\0\0\0", 10) != 0 ||
		    wn_sid_parse(at + i, n, &old, &none) < 0)
			continue;
		if (pm_sid(m, &old, &fresh) && fresh.len == old.len &&
		    !wn_sid_same(&old, &fresh)) {
			memcpy(at + i, fresh.at, n);
			hits++;
		}
		i += n - 1;
	}
	return hits;
}
