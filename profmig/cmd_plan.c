/* cmd_plan.c - profmig plan and apply
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "change/journal.h"
#include "change/revert.h"
#include "disk/disk.h"
#include "profmig/check.h"
#include "profmig/cmd.h"
#include "source/source.h"

static struct cmd_who who;
static const char *output;

/* ---- plan ---- */

static int
print_report(const struct cmd_job *j, const char *format, struct err *e)
{
	JS_SCOPED struct js *doc = js_new(format, 1, e);

	if (doc == NULL)
		return -1;
	js_u64(doc, "entries", j->plan->count);
	cmd_json_fates(j, doc);
	return js_print(doc, stdout, e);
}

static int
plan(const struct cli_args *a, struct err *e)
{
	CMD_JOB_SCOPED struct cmd_job j = CMD_JOB_EMPTY;
	SCOPED_FREE char *text = NULL;
	size_t len;

	if ((output != NULL && cli_new_output(a, output, e) < 0) ||
	    cmd_open_job(a, &who, false, &j, e) < 0 ||
	    cmd_make_plan(&who, &j, "profmig plan", e) < 0)
		return -1;
	if (output != NULL && cs_write(j.plan, output, e) < 0)
		return -1;
	if (a->json)
		return print_report(&j, "profmig plan", e);
	cmd_print_fates(&j, output != NULL ? stdout : stderr);
	if (output != NULL)
		return 0;
	text = cs_text(j.plan, &len, e);
	if (text == NULL)
		return -1;
	(void)fwrite(text, 1, len, stdout);
	return 0;
}

/* ---- apply ---- */

/* The journal of a change that did not come to be. */
static void
drop_journal(const char *dir, unsigned number)
{
	struct err e = ERR_INIT;

	if (dir != NULL && number != 0 && cs_journal_drop(dir, number, &e) < 0)
		log_warn("%s", e.msg);
}

/* Nothing is made permanent that a logon would refuse. */
static int
prove(const struct cli_args *a, struct cmd_job *j, struct err *e)
{
	struct wn_install *in = wn_choose(cs_target_guest(j->target), a->root,
					  e);

	for (size_t i = 0; in != NULL && i < j->source.works; i++) {
		const struct pm_work *w = &j->source.work[i];
		SCOPED_FREE char *why = NULL;
		int r = pm_check_logon(in, w, &why, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return err_set(e, ERR_UNSAFE, "%s: would get a "
				       "temporary profile: %s; nothing was "
				       "written", w->move.name, why);
	}
	return in == NULL ? -1 : 0;
}

/* Keep what revert and why need, beside the disk. */
static int
commit(const struct cli_args *a, struct cmd_job *j, struct err *e)
{
	SCOPED_FREE char *dir = NULL, *what = NULL, *account = NULL;
	struct cs_done done = { .applied = 0 };

	/* The version before is all that takes a change of one back. */
	if (!a->dry_run && !src_is_version(a->at[1])) {
		dir = cs_journal_dir(a->at[1], a->state, e);
		if (dir == NULL)
			return -1;
		cs_target_journal(j->target, dir);
		/* The guest as it is before: cs_apply() opens another. */
		account = cmd_account(j, e);
		if (account == NULL)
			return -1;
	}
	if (cs_apply(j->plan, j->target, &done, e) < 0)
		return -1;
	if (done.applied > 0 && prove(a, j, e) < 0) {
		drop_journal(dir, done.journal);
		return -1;
	}
	if (a->dry_run) {
		(void)printf("%zu changes, none of them written (dry run)\n",
			     done.applied);
		return 0;
	}
	if (done.applied > 0) {
		what = cs_transaction("profmig", done.journal, e);
		if (what == NULL ||
		    (dir != NULL &&
		     cs_journal_tell(dir, done.journal, account,
				     strlen(account), e) < 0) ||
		    dk_commit(j->disk, what, e) < 0)
			return -1;
	}
	if (src_made(j->disk) != NULL)
		(void)printf("%s\n", src_made(j->disk));
	(void)printf("%zu changes\n", done.applied);
	return 0;
}

static int
apply(const struct cli_args *a, struct err *e)
{
	CMD_JOB_SCOPED struct cmd_job j = CMD_JOB_EMPTY;

	if (a->count == 3 && (who.as != NULL || who.map != NULL ||
			      who.users.count > 0))
		return err_set(e, ERR_USAGE, "%s: a plan says already who is "
			       "migrated as whom", a->at[2]);
	if (cmd_open_job(a, &who, true, &j, e) < 0)
		return -1;
	if (a->count == 3) {
		j.plan = cs_read(a->at[2], e);
		/* A plan says itself which accounts it makes. */
		j.terms.create = true;
		if (j.plan == NULL ||
		    pm_source_prepare(&j.source, j.plan, e) < 0)
			return -1;
	} else if (cmd_make_plan(&who, &j, "profmig apply", e) < 0) {
		return -1;
	}
	cmd_print_fates(&j, stdout);
	return commit(a, &j, e);
}

static const struct cli_opt plan_opts[] = {
	CMD_WHO_OPTS(who),
	{ .name = "output", .letter = 'o', .arg = "PLAN",
	  .help = "write the plan to PLAN", .value = &output },
	{ .name = NULL }
};

const struct cli_cmd cmd_plan = {
	.name = "plan", .operands = "BUNDLE DISK",
	.help = "show what applying a bundle would change", .opts = plan_opts,
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_STATE | CLI_FORMAT | CLI_FORCE,
	.min_operands = 2, .max_operands = 2, .run = plan,
};

static const struct cli_opt apply_opts[] = {
	CMD_WHO_OPTS(who),
	{ .name = NULL }
};

const struct cli_cmd cmd_apply = {
	.name = "apply", .operands = "BUNDLE DISK [PLAN]",
	.help = "bring people's profiles onto a disk", .opts = apply_opts,
	.common = CLI_DRY_RUN | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_STATE | CLI_FORMAT,
	.min_operands = 2, .max_operands = 3, .run = apply,
};
