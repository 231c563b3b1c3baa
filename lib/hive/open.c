/* open.c - a hive from its bytes, replayed and checked
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

/* How strict a load is. */
struct strict {
	const char *name;
	bool healed_too;	/* refuse also what a write would mend */
	bool all;		/* and whatever Windows never writes */
	bool none;		/* refuse nothing, take what can be had */
	uint64_t warnings;
};

static int
refuse_faults(void *ctx, const struct hv_fault *f, struct err *e)
{
	struct strict *s = ctx;
	SCOPED_FREE char *path = NULL;
	char quoted[512];

	if (s->none || f->level == 'I')
		return 0;
	if (!s->all && (f->level == 'W' || (f->healed && !s->healed_too))) {
		s->warnings++;
		return 0;
	}
	if (f->key != NULL) {
		path = hv_path(f->key, e);
		if (path == NULL)
			return -1;
	}
	return err_set(e, ERR_CORRUPT, "%s: rule %s at %#" PRIx32 "%s%s%s: %s",
		       s->name, f->rule, f->at, path == NULL ? "" : " (key ",
		       path == NULL ? "" :
		       err_quote(quoted, sizeof(quoted), path, strlen(path)),
		       path == NULL ? "" : ")", f->what);
}

/* A hive over these bytes, which it owns from here. */
static struct hv_hive *
load(const char *name, struct hv_recovery *r, const struct hv_facts *facts,
     struct strict *s, struct err *e)
{
	HV_SCOPED struct hv_hive *h = hv_hive_new(name, e);

	if (h == NULL)
		return NULL;
	h->image = TAKE(r->image);
	h->len = r->len;
	h->seq_max = r->seq_max;
	h->facts = *facts;
	if (hv_parse(h, refuse_faults, s, e) < 0)
		return NULL;
	if (h->root == NULL && !s->none) {
		(void)err_set(e, ERR_CORRUPT, "%s: hive has no root key", name);
		return NULL;
	}
	h->facts.warnings = s->warnings;
	return TAKE(h);
}

/* ---- how much the logs brought -------------------------------------------------- */

static void
count_all(const struct hv_key *k, struct hv_facts *f)
{
	f->keys_saved++;
	f->values_saved += hv_value_count(k);
	for (const struct hv_key *s = hv_first(k); s != NULL; s = hv_next(s))
		count_all(s, f);
}

static bool
same_value(const struct hv_value *a, const struct hv_value *b)
{
	return b != NULL && a->type == b->type && a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
count_saved(const struct hv_key *now, const struct hv_key *was,
	    struct hv_facts *f)
{
	for (const struct hv_value *v = hv_value_first(now); v != NULL;
	     v = hv_value_next(v))
		if (!same_value(v, hv_as_value(hv_names_find(&was->values,
						hv_node_word(&v->node)))))
			f->values_saved++;
	for (const struct hv_key *s = hv_first(now); s != NULL; s = hv_next(s)) {
		const struct hv_key *t = hv_as_key(
			hv_names_find(&was->subs, hv_node_word(&s->node)));

		if (t == NULL)
			count_all(s, f);
		else
			count_saved(s, t, f);
	}
}

/* Compare with what a reader would see that ignores the logs. */
static int
count_gain(struct hv_hive *h, const void *image, size_t len, struct err *e)
{
	HV_RECOVERY_SCOPED struct hv_recovery r = { .image = NULL };
	struct hv_facts raw = { .minor = 0 };
	struct err ignored = ERR_INIT;
	struct strict s = { .name = h->name, .none = true };

	if (hv_replay(image, len, NULL, 0, &r, &raw, e) < 0)
		return -1;
	HV_SCOPED struct hv_hive *was = load(h->name, &r, &raw, &s, &ignored);
	if (was == NULL && ignored.kind == ERR_NOMEM)
		return err_set(e, ERR_NOMEM, "%s", ignored.msg);
	if (was == NULL || was->root == NULL)
		count_all(h->root, &h->facts);
	else
		count_saved(h->root, was->root, &h->facts);
	return 0;
}

/* ---- opening --------------------------------------------------------------------- */

/* The hive as its state after the replay allows. */
static struct hv_hive *
load_replayed(const char *name, struct hv_recovery *r,
	      const struct hv_facts *facts, struct err *e)
{
	/* Logs that do not belong together leave any kind of damage behind. */
	struct strict s = {
		.name = name,
		.healed_too = r->state == HV_WHOLE || r->state == HV_PARTLY,
	};

	return load(name, r, facts, &s, e);
}

static struct hv_hive *
open_stale(const char *name, const void *image, size_t len,
	   struct hv_recovery *r, struct hv_facts *facts, struct err *e)
{
	struct err first = ERR_INIT;
	struct hv_hive *h;

	(void)snprintf(facts->stale, sizeof(facts->stale), "%s", r->lost);
	h = load_replayed(name, r, facts, &first);
	if (h != NULL || r->state == HV_RAW || first.kind == ERR_NOMEM) {
		if (h == NULL)
			(void)err_set(e, first.kind, "%s", first.msg);
		return h;
	}
	/* Half of the entries over a hive that Windows had begun to write is
	 * no state it ever had; then without any of them. */
	HV_RECOVERY_SCOPED struct hv_recovery raw = { .image = NULL };
	struct hv_facts f = { .minor = 0 };

	if (hv_replay(image, len, NULL, 0, &raw, &f, e) < 0)
		return NULL;
	memcpy(f.stale, facts->stale, sizeof(f.stale));
	raw.seq_max = r->seq_max;
	return load_replayed(name, &raw, &f, e);
}

/* The logs gave all they hold, and it is no hive: one of them is missing, or is of
 * another state. */
static int
doubt(struct hv_recovery *r, const void *image, size_t len,
      const struct err *why, struct err *e)
{
	HV_RECOVERY_SCOPED struct hv_recovery raw = { .image = NULL };
	struct hv_facts f = { .minor = 0 };

	if (hv_replay(image, len, NULL, 0, &raw, &f, e) < 0)
		return -1;
	raw.seq_max = r->seq_max;
	(void)snprintf(raw.lost, sizeof(raw.lost), "what its logs hold makes no "
		       "whole hive (%.380s): all of it is lost", why->msg);
	hv_recovery_done(r);
	*r = TAKE(raw);
	return 0;
}

/* What could not be replayed: refused, or left out as the caller wishes. */
static struct hv_hive *
open_lossy(const char *name, const void *image, size_t len,
	   struct hv_recovery *r, struct hv_facts *facts, enum hv_logs how,
	   struct err *e)
{
	if (how == HV_LOGS_REPLAY) {
		(void)err_set(e, ERR_UNSAFE, "%s: hive is dirty and its logs cannot "
			      "be replayed; %s; let Windows start once, or add "
			      "--discard-logs", name, r->lost);
		return NULL;
	}
	if (r->state == HV_RAW) {
		facts->replayed = HV_REPLAYED_NONE;
		facts->first = facts->last = facts->applied = 0;
	}
	struct hv_hive *h = open_stale(name, image, len, r, facts, e);
	if (h != NULL)
		h->discard = how == HV_LOGS_DISCARD;
	return h;
}

struct hv_hive *
hv_open(const char *name, const void *image, size_t len,
	const struct hv_log *logs, size_t log_count, enum hv_logs how,
	struct err *e)
{
	HV_RECOVERY_SCOPED struct hv_recovery r = { .image = NULL };
	HV_SCOPED struct hv_hive *h = NULL;
	struct hv_facts facts = { .minor = 0 };
	struct err why = ERR_INIT;

	if (hv_replay(image, len, logs, log_count, &r, &facts, e) < 0)
		return NULL;
	/* A header that no log stands in for is damage, not dirt. */
	if (r.state == HV_WAS_CLEAN || (r.state == HV_RAW && facts.header_lost))
		return load_replayed(name, &r, &facts, e);
	if (r.state == HV_WHOLE) {
		h = load_replayed(name, &r, &facts, &why);
		if (h != NULL)
			return count_gain(h, image, len, e) < 0 ? NULL : TAKE(h);
		if (why.kind != ERR_CORRUPT) {
			(void)err_set(e, why.kind, "%s", why.msg);
			return NULL;
		}
		if (doubt(&r, image, len, &why, e) < 0)
			return NULL;
	}
	return open_lossy(name, image, len, &r, &facts, how, e);
}

int
hv_recover(const char *name, const void *image, size_t len,
	   const struct hv_log *logs, size_t log_count, enum hv_logs how,
	   struct buf *ret, struct hv_facts *ret_facts, struct err *e)
{
	HV_SCOPED struct hv_hive *h = hv_open(name, image, len, logs, log_count,
					      how, e);

	if (h == NULL)
		return -1;
	*ret_facts = h->facts;
	*ret = (struct buf){ .at = TAKE(h->image), .len = h->len,
			     .cap = h->len };
	return 0;
}

int
hv_check(const char *name, const void *image, size_t len, hv_fault_fn *fault,
	 void *ctx, struct err *e)
{
	HV_SCOPED struct hv_hive *h = hv_hive_new(name, e);

	if (h == NULL)
		return -1;
	h->image = mem_array(len, 1, e);
	if (h->image == NULL)
		return -1;
	if (len > 0)
		memcpy(h->image, image, len);
	h->len = len;
	return hv_parse(h, fault, ctx, e);
}

int
hv_prove(const struct hv_hive *h, uint8_t *image, size_t len, struct err *e)
{
	HV_SCOPED struct hv_hive *again = hv_hive_new(h->name, e);
	struct strict s = { .name = h->name, .all = true };

	if (again == NULL)
		return -1;
	again->image = image;
	again->len = len;
	int r = hv_parse(again, refuse_faults, &s, e);
	if (r == 0 && again->root == NULL)
		r = err_set(e, ERR_CORRUPT, "%s: hive has no root key", h->name);
	if (r == 0)
		r = hv_compare(h, again, e);
	again->image = NULL;		/* the caller's */
	return r < 0 ? err_ctx(e, "what was to be written is wrong") : 0;
}
