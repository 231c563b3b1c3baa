/* cmd_why.c - profmig why: what brought, changed or dropped one thing
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apply leaves an account beside the disk's journal (change/journal.h): the
 * fate of every item and value, and the program's own steps.  This looks one
 * thing up in it, by its old or its new name.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf.h"
#include "change/journal.h"
#include "profmig/cmd.h"
#include "source/source.h"

/* ---- writing ---- */

/* The drive of a plan's volume: "C:". */
static void
drive_of(const struct cmd_job *j, unsigned volume, char ret[3])
{
	const struct wn_install *in = j->to;
	const uint64_t serial = j->plan->volume[volume].serial;

	ret[0] = '?';
	for (size_t i = 0; i < in->letters; i++) {
		const size_t at = in->letter[i].volume;
		struct vo *vo = at >= in->guest->volumes ? NULL :
			in->guest->volume[at].vo;

		if (vo != NULL && vo_facts(vo)->serial == serial)
			ret[0] = in->letter[i].letter;
	}
	ret[1] = ':';
	ret[2] = '\0';
}

/* An entry of the plan as a person names it: a path, or a key and value. */
static char *
step_name(const struct cmd_job *j, const struct cs_entry *en, struct err *e)
{
	const char *hive = strrchr(en->path, '/');
	char drive[3];
	char *text;

	if (en->key != NULL)
		return mem_fmt(e, "HKLM\\%s\\%s%s%s", hive == NULL ? en->path :
			       hive + 1, en->key, en->name == NULL ? "" : "\\",
			       en->name == NULL ? "" : en->name);
	drive_of(j, en->volume, drive);
	text = mem_fmt(e, "%s%s", drive, en->path);
	for (char *p = text; p != NULL && *p != '\0'; p++)
		if (*p == '/')
			*p = '\\';
	return text;
}

/* Is it a rule of the YAML files?  Its entries are told as fates. */
static bool
is_rule(const struct cmd_job *j, const char *name)
{
	for (size_t i = 0; i < j->terms.rules.count; i++)
		if (strcmp(j->terms.rules.at[i].name, name) == 0)
			return true;
	return false;
}

char *
cmd_account(const struct cmd_job *j, struct err *e)
{
	JS_SCOPED struct js *doc = js_new("profmig account", 1, e);
	struct js *list;

	if (doc == NULL)
		return NULL;
	cmd_json_fates(j, doc);
	list = js_list(doc, "steps");
	for (size_t i = 0; i < j->plan->count; i++) {
		const struct cs_entry *en = &j->plan->at[i];
		SCOPED_FREE char *name = NULL;
		struct js *one;

		if (is_rule(j, en->rule))
			continue;
		name = step_name(j, en, e);
		if (name == NULL)
			return NULL;
		one = js_item(list);
		js_str(one, "what", cs_kind_word(en->kind));
		js_str(one, "name", name);
		js_str(one, "rule", en->rule);
		js_str(one, "why", en->why);
	}
	return js_text(doc, e);
}

/* ---- reading ---- */

struct asking {
	const char *what;	/* as it was typed, without a last slash */
	const char *key;	/* below a person's root, or NULL: a path */
	const char *who;	/* the person of HKU, or NULL: any */
	unsigned journal;
	size_t found;
	struct js *out;		/* a list, or NULL: to standard output */
};

/* "HKCU\x", "HKU\alice\x": the key, and whose. */
static int
split_key(struct asking *q, char **ret_who, struct err *e)
{
	static const struct {
		const char *root;
		bool named;
	} roots[] = {
		{ "HKCU\\", false }, { "HKEY_CURRENT_USER\\", false },
		{ "HKU\\", true }, { "HKEY_USERS\\", true },
	};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		size_t n = strlen(roots[i].root), name;

		if (strncasecmp(q->what, roots[i].root, n) != 0)
			continue;
		q->key = q->what + n;
		if (!roots[i].named)
			return 0;
		name = strcspn(q->key, "\\");
		*ret_who = mem_strn(q->key, name, e);
		if (*ret_who == NULL)
			return -1;
		q->who = *ret_who;
		q->key += name + (q->key[name] == '\\');
		return 0;
	}
	return 0;
}

static void
tell(struct asking *q, const char *name, const char *outcome,
     const char *from, const struct js *fate)
{
	const char *rule = js_get_str(fate, "rule");
	const char *why = js_get_str(fate, "why");

	q->found++;
	if (q->out != NULL) {
		struct js *one = js_item(q->out);

		js_str(one, "name", name);
		js_str(one, "outcome", outcome);
		js_str(one, "from", from);
		js_str(one, "rule", rule);
		js_str(one, "why", why);
		js_u64(one, "change-set", q->journal);
		return;
	}
	cmd_put(stdout, name);
	(void)printf(": %s", outcome);
	if (rule != NULL) {
		(void)printf(", rule ");
		cmd_put(stdout, rule);
	}
	if (from != NULL && !utf_same8(from, name)) {
		(void)printf(", from ");
		cmd_put(stdout, from);
	}
	if (why != NULL) {
		(void)printf(": ");
		cmd_put(stdout, why);
	}
	(void)printf(" (change set %u)\n", q->journal);
}

static bool
is(const char *a, const char *b)
{
	return a != NULL && utf_same8(a, b);
}

static void
ask_item(struct asking *q, const struct js *fate)
{
	const char *from = js_get_str(fate, "from");
	const char *to = js_get_str(fate, "to");

	if (is(from, q->what) || is(to, q->what))
		tell(q, to != NULL ? to : from, js_get_str(fate, "outcome"),
		     from, fate);
}

/* Does the question mean this value: by its key, or by key and name? */
static int
means(const struct asking *q, const char *key, const char *name,
      struct err *e)
{
	SCOPED_FREE char *full = NULL;

	if (key == NULL || name == NULL)
		return 0;
	if (utf_same8(key, q->key))
		return 1;
	full = mem_fmt(e, "%s\\%s", key, name);
	return full == NULL ? -1 : utf_same8(full, q->key);
}

static int
ask_value(struct asking *q, const struct js *fate, struct err *e)
{
	const char *key = js_get_str(fate, "key");
	const char *name = js_get_str(fate, "name");
	const char *to_key = js_get_str(fate, "to-key");
	const char *to_name = js_get_str(fate, "to-name");
	SCOPED_FREE char *from = NULL, *to = NULL;
	int r = means(q, key, name, e);

	if (r == 0)
		r = means(q, to_key, to_name, e);
	if (r <= 0)
		return r;
	from = mem_fmt(e, "HKCU\\%s: %s", key, name);
	if (from == NULL)
		return -1;
	if (to_key != NULL) {
		to = mem_fmt(e, "HKCU\\%s: %s", to_key, to_name);
		if (to == NULL)
			return -1;
	}
	tell(q, to != NULL ? to : from, js_get_str(fate, "outcome"), from,
	     fate);
	return 0;
}

static int
ask_account(struct asking *q, const struct js *doc, struct err *e)
{
	const struct js *people = js_get(doc, "people");
	const struct js *steps = js_get(doc, "steps");

	for (size_t i = 0; people != NULL && i < js_count(people); i++) {
		const struct js *p = js_at(people, i);
		const struct js *items = js_get(p, "items");
		const struct js *values = js_get(p, "values");
		const bool his = q->who == NULL ||
			is(js_get_str(p, "as"), q->who) ||
			is(js_get_str(p, "sid"), q->who);

		for (size_t k = 0; items != NULL && q->key == NULL &&
		     k < js_count(items); k++)
			ask_item(q, js_at(items, k));
		for (size_t k = 0; values != NULL && q->key != NULL && his &&
		     k < js_count(values); k++)
			if (ask_value(q, js_at(values, k), e) < 0)
				return -1;
	}
	for (size_t i = 0; steps != NULL && i < js_count(steps); i++) {
		const struct js *s = js_at(steps, i);
		const char *name = js_get_str(s, "name");

		if (is(name, q->what))
			tell(q, name, js_get_str(s, "what"), NULL, s);
	}
	return 0;
}

static int
ask_all(struct asking *q, const char *dir, struct err *e)
{
	unsigned n = UINT32_MAX;

	for (;;) {
		JS_SCOPED struct js *doc = NULL;
		SCOPED_FREE uint8_t *text = NULL;
		size_t len;
		int r = cs_journal_told(dir, &n, &text, &len, e);

		if (r <= 0)
			return r;
		doc = js_parse(text, len, e);
		if (doc == NULL)
			return err_ctx(e, "%s: change set %u", dir, n);
		q->journal = n;
		if (ask_account(q, doc, e) < 0)
			return -1;
	}
}

static int
why(const struct cli_args *a, struct err *e)
{
	SCOPED_FREE char *dir = cs_journal_dir(a->at[0], a->state, e);
	SCOPED_FREE char *what = mem_str(a->at[1], e);
	SCOPED_FREE char *who = NULL;
	JS_SCOPED struct js *doc = NULL;
	struct asking q = { .what = what };
	size_t n = what == NULL ? 0 : strlen(what);

	if (dir == NULL || what == NULL)
		return -1;
	if (n > 3 && what[n - 1] == '\\')
		what[n - 1] = '\0';
	if (a->json) {
		doc = js_new("profmig why", 1, e);
		if (doc == NULL)
			return -1;
		q.out = js_list(doc, "answers");
	}
	if (split_key(&q, &who, e) < 0 || ask_all(&q, dir, e) < 0 ||
	    (a->json && js_print(doc, stdout, e) < 0))
		return -1;
	if (q.found > 0)
		return 0;
	return err_set(e, ERR_NO, "%s: no change set of profmig on %s knows "
		       "it", a->at[1], a->at[0]);
}

const struct cli_cmd cmd_why = {
	.name = "why", .operands = "DISK PATH-OR-KEY",
	.help = "tell what brought, changed or dropped a file or a value",
	.common = CLI_JSON | CLI_STATE, .min_operands = 2, .max_operands = 2,
	.run = why,
};
