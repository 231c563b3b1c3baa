/* settle.c - compare wishes with an image: what is left to do, and from where
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "change/apply.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "change/change-private.h"
#include "change/target.h"

/* The error says which entry it is about. */
static int
about(const struct cs_entry *en, struct err *e)
{
	struct err none = ERR_INIT;
	SCOPED_FREE char *name = cs_entry_name(en, &none);
	char quoted[256];

	if (name == NULL)
		return -1;
	return err_ctx(e, "rule %s: %s", en->rule,
		       err_quote(quoted, sizeof(quoted), name, strlen(name)));
}

/* Is there such a folder (key NULL) or key? */
static int
exists(struct cs_target *t, uint64_t serial, const char *path,
       const char *key, struct err *e)
{
	struct hv_hive *hive;
	struct vo_stat st;
	struct vo *vo;

	if (key != NULL) {
		hive = cs_target_hive(t, serial, path, e);
		return hive == NULL ? -1 : hv_find(hv_root(hive), key) != NULL;
	}
	vo = cs_target_volume(t, serial, e);
	return vo == NULL ? -1 : vo_stat(vo, path, &st, e);
}

/* An entry for the folder or key that is the first `len` bytes of what the
 * entry at `i` needs. */
static int
add_one(struct cs_plan *p, size_t i, size_t len, struct err *e)
{
	bool hive = cs_in_hive(p->at[i].kind);
	SCOPED_FREE char *where = mem_strn(hive ? p->at[i].key : p->at[i].path,
					   len, e);
	SCOPED_FREE char *path = hive ? mem_str(p->at[i].path, e) : NULL;
	struct cs_entry *en;

	if (where == NULL || (hive && path == NULL))
		return -1;
	en = cs_push(p, hive ? CS_KEY : CS_DIRECTORY, p->at[i].volume,
		     hive ? path : where, hive ? where : NULL, NULL,
		     (struct cs_reason){ NULL, NULL }, e);
	if (en == NULL)
		return -1;
	en->settled = true;
	en->rule = mem_str(p->at[i].rule, e);
	en->why = mem_str(p->at[i].why, e);
	if (en->rule == NULL || en->why == NULL)
		return -1;
	return cs_side_set(&en->want, CS_INLINE, 0, NULL, 0, e);
}

/*
 * Entries for the folders or keys above entry i that are not there.  A value
 * needs its whole key, all else what is above its own last part.
 */
static int
add_parents(struct cs_plan *p, size_t i, struct cs_target *t, struct err *e)
{
	bool hive = cs_in_hive(p->at[i].kind);
	SCOPED_FREE char *full = mem_str(hive ? p->at[i].key : p->at[i].path, e);
	SCOPED_FREE char *path = mem_str(p->at[i].path, e);
	uint64_t serial = p->volume[p->at[i].volume].serial;
	bool whole = hive && p->at[i].kind != CS_KEY;
	char sep = hive ? '\\' : '/';
	size_t len;

	if (full == NULL || path == NULL)
		return -1;
	for (len = strlen(full); len > 0; len--) {
		int r;

		if (!whole && full[len] != sep)
			continue;
		if (full[len] != sep && full[len] != '\0')
			continue;
		full[len] = '\0';
		r = exists(t, serial, hive ? path : full,
			   hive ? full : NULL, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
		if (add_one(p, i, len, e) < 0)
			return -1;
	}
	return 0;
}

/* Fill in the old side; *ret_done when the wish is fulfilled. */
static int
settle_one(struct cs_plan *p, size_t i, struct cs_target *t, bool *ret_done,
	   struct err *e)
{
	uint64_t serial = p->volume[p->at[i].volume].serial;
	struct cs_side now;
	int r;

	if (cs_measure(t, serial, &p->at[i].want, e) < 0 ||
	    cs_observe(t, p, &p->at[i], &now, e) < 0)
		return -1;
	cs_side_done(&p->at[i].old);
	p->at[i].old = now;
	p->at[i].settled = true;
	r = cs_fulfilled(&p->at[i], &now, e);
	if (r < 0)
		return -1;
	*ret_done = r == 1;
	if (r == 1 || now.have != CS_ABSENT || p->at[i].kind == CS_BYTES ||
	    p->at[i].want.have == CS_ABSENT)
		return 0;
	return add_parents(p, i, t, e);
}

int
cs_settle(struct cs_plan *p, struct cs_target *t, struct err *e)
{
	size_t count, n = 0;

	if (cs_sort(p, e) < 0)
		return -1;
	count = p->count;
	for (size_t i = 0; i < count; i++) {
		bool done = false;

		if (settle_one(p, i, t, &done, e) < 0)
			return about(&p->at[i], e);
		if (done) {
			cs_entry_done(&p->at[i]);
			p->at[i] = (struct cs_entry){ .rule = NULL };
		}
	}
	for (size_t i = 0; i < p->count; i++)
		if (p->at[i].rule != NULL)
			p->at[n++] = p->at[i];
	p->count = n;
	p->sorted = false;
	return cs_sort(p, e);
}

/* ---- proof ---- */

static int
finding(struct cs_plan *p, size_t i, struct cs_target *t,
	enum cs_finding *ret, struct err *e)
{
	SCOPED(cs_side_done) struct cs_side now = { .have = CS_ABSENT };
	int r;

	if (cs_measure(t, p->volume[p->at[i].volume].serial, &p->at[i].want,
		       e) < 0 ||
	    cs_observe(t, p, &p->at[i], &now, e) < 0)
		return about(&p->at[i], e);
	r = cs_fulfilled(&p->at[i], &now, e);
	if (r < 0)
		return about(&p->at[i], e);
	*ret = r == 1 ? CS_FOUND_WANTED :
	       p->at[i].settled && cs_side_same(&now, &p->at[i].old) ?
	       CS_FOUND_OLD : CS_FOUND_OTHER;
	return 0;
}

int
cs_verify(struct cs_plan *p, struct cs_target *t, cs_finding_fn fn, void *arg,
	  size_t *ret, struct err *e)
{
	size_t open = 0;

	if (cs_sort(p, e) < 0)
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		enum cs_finding found;

		if (finding(p, i, t, &found, e) < 0)
			return -1;
		if (found == CS_FOUND_WANTED)
			continue;
		open++;
		if (fn != NULL && fn(arg, &p->at[i], found, e) < 0)
			return -1;
	}
	*ret = open;
	return 0;
}
