/* cmd_verify.c - profmig verify: did everything arrive?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bundle is planned once more onto the finished disk.  What then is still
 * to do did not arrive; an empty plan means that every item and value is where
 * the rules send it.  Besides, what a logon looks at is looked at.
 */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "profmig/check.h"
#include "profmig/cmd.h"

static struct cmd_who who;

/* Print what is wrong, or put it into a list. */
static int
on_wrong(void *arg, const char *what, struct err *e)
{
	struct js *list = arg;

	(void)e;
	if (list != NULL) {
		js_item_str(list, what);
		return 0;
	}
	(void)printf("wrong: ");
	cmd_put(stdout, what);
	(void)putchar('\n');
	return 0;
}

/* What a logon would meet, for everybody. */
static int
check(const struct cmd_job *j, struct js *list, size_t *ret, struct err *e)
{
	for (size_t i = 0; i < j->source.works; i++) {
		size_t wrong = 0;

		if (pm_check(&j->source.work[i], on_wrong, list, &wrong,
			     e) < 0)
			return -1;
		*ret += wrong;
	}
	return 0;
}

static int
print_missing(const struct cmd_job *j, struct err *e)
{
	for (size_t i = 0; i < j->plan->count; i++) {
		SCOPED_FREE char *name = cs_entry_name(&j->plan->at[i], e);

		if (name == NULL)
			return -1;
		(void)printf("not as it should be: %s: ",
			     cs_kind_word(j->plan->at[i].kind));
		cmd_put(stdout, name);
		(void)putchar('\n');
	}
	return 0;
}

static int
print_json(const struct cmd_job *j, size_t *ret_wrong, struct err *e)
{
	JS_SCOPED struct js *doc = js_new("profmig verify", 1, e);
	struct js *list;

	if (doc == NULL)
		return -1;
	list = js_list(doc, "wrong");
	if (check(j, list, ret_wrong, e) < 0)
		return -1;
	js_bool(doc, "yes", j->plan->count == 0 && *ret_wrong == 0);
	list = js_list(doc, "missing");
	for (size_t i = 0; i < j->plan->count; i++) {
		SCOPED_FREE char *name = cs_entry_name(&j->plan->at[i], e);

		if (name == NULL)
			return -1;
		js_item_str(list, name);
	}
	cmd_json_fates(j, doc);
	return js_print(doc, stdout, e);
}

/* A person without a profile over there was never brought. */
static int
check_profiles(const struct cmd_job *j, struct err *e)
{
	for (size_t i = 0; i < j->source.works; i++) {
		const struct pm_work *w = &j->source.work[i];

		if (!w->move.has_profile)
			return err_set(e, ERR_NO, "%s: has no profile there",
				       w->move.name);
	}
	return 0;
}

static int
verify(const struct cli_args *a, struct err *e)
{
	CMD_JOB_SCOPED struct cmd_job j = CMD_JOB_EMPTY;
	size_t wrong = 0;
	int r;

	if (cmd_open_job(a, &who, false, &j, e) < 0 ||
	    cmd_make_plan(&who, &j, "profmig verify", e) < 0 ||
	    check_profiles(&j, e) < 0)
		return -1;
	if (a->json) {
		r = print_json(&j, &wrong, e);
	} else {
		cmd_print_fates(&j, stdout);
		r = print_missing(&j, e) < 0 ? -1 : check(&j, NULL, &wrong, e);
	}
	if (r < 0)
		return -1;
	if (j.plan->count + wrong != 0)
		return err_set(e, ERR_NO, "%s: %zu things are not as they "
			       "should be", a->at[1], j.plan->count + wrong);
	if (!a->json)
		(void)printf("everything arrived\n");
	return 0;
}

static const struct cli_opt opts[] = {
	CMD_WHO_OPTS(who),
	{ .name = NULL }
};

const struct cli_cmd cmd_verify = {
	.name = "verify", .operands = "BUNDLE DISK",
	.help = "prove that everything of a bundle arrived", .opts = opts,
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_STATE | CLI_FORMAT,
	.min_operands = 2, .max_operands = 2, .run = verify,
};
