/* cmd_job.c - what the commands between a bundle and a target share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "disk/disk.h"
#include "profmig/cmd.h"
#include "source/source.h"

void
cmd_job_done(struct cmd_job *j)
{
	pm_programs_done(&j->has);
	cs_plan_free(&j->plan);
	pm_source_done(&j->source);
	cs_target_free(&j->target);
	dk_free(&j->disk);
	pm_terms_done(&j->terms);
	pm_reader_free(&j->reader);
	pm_bundle_done(&j->bundle);
	cx_key_done(&j->key);
}

void
cmd_put(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)putc(c, out);
	}
}

int
cmd_open_bundle(const struct cli_args *a, const char *path,
		const struct cli_list *by, struct cmd_job *j, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs trusted = CX_PUBS_EMPTY;
	const struct cx_pub *signer = NULL;

	if (cli_need_key(a, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &j->key,
			e) < 0 ||
	    cx_trust_load(&trusted, by->at, by->count, e) < 0)
		return -1;
	j->reader = pm_reader_open(path, &j->key, &trusted, &j->bundle,
				   &signer, e);
	if (j->reader == NULL)
		return -1;
	if (signer == NULL)
		log_note("%s: not signed, or nobody is trusted (--by PUB)",
			 path);
	return 0;
}

int
cmd_open_job(const struct cli_args *a, const struct cmd_who *w, bool write,
	     struct cmd_job *j, struct err *e)
{
	j->terms.create = w->create;
	if (pm_rules_load(&j->terms.rules, w->rules.at, w->rules.count,
			  e) < 0 ||
	    (w->map != NULL && pm_map_load(&j->terms, w->map, e) < 0) ||
	    cmd_open_bundle(a, a->at[0], &w->by, j, e) < 0)
		return -1;
	j->disk = src_open(a, a->at[1], write ? DK_WRITE : 0, e);
	if (j->disk == NULL)
		return -1;
	j->target = cs_target_new(j->disk, write, e);
	if (j->target == NULL)
		return -1;
	j->to = wn_choose(cs_target_guest(j->target), a->root, e);
	if (j->to == NULL || (write && wn_writable(j->to, e) < 0))
		return -1;
	j->source = (struct pm_source){
		.bundle = &j->bundle, .reader = j->reader, .terms = &j->terms,
		.to = j->to,
	};
	cs_target_fetch(j->target, pm_fetch, &j->source);
	return pm_programs(j->to, &j->has, e);
}

static int
plan_person(const struct cmd_who *w, struct cmd_job *j,
	    const struct pm_person *p, struct err *e)
{
	struct pm_source *s = &j->source;

	if (mem_grow(&s->work, &s->cap, s->works + 1, sizeof(*s->work), e) < 0)
		return -1;
	s->work[s->works] = (struct pm_work)PM_WORK_EMPTY;
	if (pm_work_make(&j->bundle, j->reader, p, j->to, w->as, &j->terms,
			 j->plan, &s->work[s->works], e) < 0)
		return -1;
	s->works++;
	for (size_t i = 0; i + 1 < s->works; i++)
		if (wn_sid_same(&s->work[i].move.sid,
				&s->work[s->works - 1].move.sid))
			return err_set(e, ERR_USAGE, "%s and %s would both "
				       "become %s", s->work[i].move.who->name,
				       p->name, s->work[i].move.name);
	return 0;
}

/* The people chosen, as flags; *ret is how many. */
static bool *
choose(const struct cmd_who *w, struct cmd_job *j, size_t *ret, struct err *e)
{
	SCOPED_FREE bool *chosen = mem_array(j->bundle.people, sizeof(*chosen),
					     e);

	if (chosen == NULL)
		return NULL;
	*ret = 0;
	for (size_t i = 0; w->users.count == 0 && i < j->bundle.people; i++)
		chosen[i] = true;
	for (size_t i = 0; i < w->users.count; i++) {
		const struct pm_person *p =
			pm_bundle_person(&j->bundle, w->users.at[i], e);

		if (p == NULL)
			return NULL;
		chosen[p - j->bundle.person] = true;
	}
	for (size_t i = 0; i < j->bundle.people; i++)
		*ret += chosen[i];
	return TAKE(chosen);
}

int
cmd_make_plan(const struct cmd_who *w, struct cmd_job *j, const char *made_by,
	      struct err *e)
{
	size_t count;
	SCOPED_FREE bool *chosen = choose(w, j, &count, e);

	if (chosen == NULL)
		return -1;
	if (w->as != NULL && count != 1)
		return err_set(e, ERR_USAGE, "--as: the bundle holds several "
			       "people; choose one with --user");
	j->plan = cs_plan_new(made_by, e);
	if (j->plan == NULL)
		return -1;
	for (size_t i = 0; i < j->bundle.people; i++)
		if (chosen[i] &&
		    plan_person(w, j, &j->bundle.person[i], e) < 0)
			return -1;
	if (pm_accounts_wish(&j->terms, j->to, j->plan, e) < 0)
		return -1;
	return cs_settle(j->plan, j->target, e);
}

struct counts {
	size_t item[3], value[3], unnamed;
};

static struct counts
count(const struct pm_work *w)
{
	struct counts c = { .unnamed = 0 };

	for (size_t i = 0; i < w->fates.count; i++)
		c.item[w->fates.at[i].outcome]++;
	for (size_t i = 0; i < w->settings.count; i++) {
		const struct pm_setting *s = &w->settings.at[i];

		if (s->rule == NULL)
			c.unnamed++;
		else
			c.value[s->outcome]++;
	}
	return c;
}

static void
list_dropped(const struct pm_work *w)
{
	for (size_t i = 0; i < w->fates.count; i++) {
		const struct pm_fate *f = &w->fates.at[i];

		if (f->outcome == PM_DROPPED)
			log_debug("%s: dropped: %s", f->item->path, f->why);
	}
	for (size_t i = 0; i < w->settings.count; i++) {
		const struct pm_setting *s = &w->settings.at[i];

		if (s->outcome == PM_DROPPED)
			log_debug("HKCU\\%s [%s]: dropped: %s", s->key,
				  s->name, s->why != NULL ? s->why :
				  "no rule names it");
	}
}

/* Programs of the old computer that the target lacks. */
static void
print_programs(const struct cmd_job *j, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < j->bundle.programs; i++) {
		if (pm_programs_have(&j->has, j->bundle.program[i]))
			continue;
		(void)fprintf(out, first ? "programs that the target lacks: " :
			      ", ");
		cmd_put(out, j->bundle.program[i]);
		first = false;
	}
	if (!first)
		(void)putc('\n', out);
}

void
cmd_print_fates(const struct cmd_job *j, FILE *out)
{
	for (size_t i = 0; i < j->source.works; i++) {
		const struct pm_work *w = &j->source.work[i];
		struct counts c = count(w);

		cmd_put(out, w->move.who->name);
		(void)fprintf(out, " -> ");
		cmd_put(out, w->move.user.profile);
		(void)fprintf(out, "%s\n", w->move.has_profile ?
			      " (merged)" : " (new)");
		if (w->move.new_account)
			(void)fprintf(out, "  the account is made, without a "
				      "password; Windows asks for one at the "
				      "first logon\n");
		if (!wn_sid_same(&w->move.sid, &w->move.who->sid))
			(void)fprintf(out, "  another account than before: "
				      "saved passwords and private keys do "
				      "not come along\n");
		(void)fprintf(out, "  items: %zu as they are, %zu changed, "
			      "%zu dropped\n", c.item[PM_ARRIVES],
			      c.item[PM_TRANSFORMED], c.item[PM_DROPPED]);
		(void)fprintf(out, "  values: %zu as they are, %zu changed, "
			      "%zu dropped, %zu that no rule names\n",
			      c.value[PM_ARRIVES], c.value[PM_TRANSFORMED],
			      c.value[PM_DROPPED], c.unnamed);
		list_dropped(w);
	}
	print_programs(j, out);
}

static void
json_work(struct js *o, const struct pm_work *w)
{
	static const char *const words[] = {
		"arrives", "transformed", "dropped",
	};
	struct js *list = js_list(o, "items");
	char sid[WN_SID_TEXT];

	js_str(o, "name", w->move.who->name);
	js_str(o, "as", w->move.name);
	js_str(o, "sid", wn_sid_text(&w->move.sid, sid));
	js_str(o, "profile", w->move.user.profile);
	js_bool(o, "merged", w->move.has_profile);
	js_bool(o, "new-account", w->move.new_account);
	js_bool(o, "same-account", wn_sid_same(&w->move.sid,
					       &w->move.who->sid));
	for (size_t i = 0; i < w->fates.count; i++) {
		const struct pm_fate *f = &w->fates.at[i];
		struct js *one = js_item(list);

		js_str(one, "from", f->item->path);
		js_str(one, "outcome", words[f->outcome]);
		js_str(one, "to", f->to);
		js_str(one, "rule", f->rule);
		js_str(one, "why", f->why);
	}
	list = js_list(o, "values");
	for (size_t i = 0; i < w->settings.count; i++) {
		const struct pm_setting *s = &w->settings.at[i];
		struct js *one = js_item(list);

		js_str(one, "key", s->key);
		js_str(one, "name", s->name);
		js_str(one, "outcome", words[s->outcome]);
		js_str(one, "to-key", s->to_key);
		js_str(one, "to-name", s->to_name);
		js_str(one, "rule", s->rule);
		js_str(one, "why", s->why != NULL || s->rule != NULL ? s->why :
		       "no rule names it");
	}
}

void
cmd_json_fates(const struct cmd_job *j, struct js *doc)
{
	struct js *list = js_list(doc, "people");

	for (size_t i = 0; i < j->source.works; i++)
		json_work(js_item(list), &j->source.work[i]);
	list = js_list(doc, "missing-programs");
	for (size_t i = 0; i < j->bundle.programs; i++)
		if (!pm_programs_have(&j->has, j->bundle.program[i]))
			js_item_str(list, j->bundle.program[i]);
}
