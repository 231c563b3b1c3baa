/* cmd_plan.c - hal-neutral plan and apply
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "change/journal.h"
#include "change/revert.h"
#include "hal-neutral/cmd.h"
#include "hal-neutral/rule.h"
#include "source/source.h"
#include "source/source.h"

static struct cli_list names, folders, steps;
static const char *output, *hal;

static const struct cli_opt plan_opts[] = {
	{ .name = "platform", .arg = "P",
	  .help = "a machine it shall boot on; may be repeated",
	  .list = &names },
	{ .name = "drivers", .arg = "DIR",
	  .help = "a folder with drivers; may be repeated", .list = &folders },
	{ .name = "hal", .arg = "HOW",
	  .help = "the HAL of 32-bit XP: menu (all of them) or replace",
	  .value = &hal },
	{ .name = "first-boot", .arg = "FILE.cmd",
	  .help = "commands for its next start; may be repeated",
	  .list = &steps },
	{ .name = "output", .letter = 'o', .arg = "PLAN",
	  .help = "write the plan to a file", .value = &output },
	{ .name = NULL }
};

/* How many entries of the plan a rule asked for: theirs are named "storage/X7". */
static size_t
asked_for(const struct cs_plan *p, const struct hn_rule *r)
{
	size_t len = strlen(r->name), n = 0;

	for (size_t i = 0; i < p->count; i++)
		if (strncmp(p->at[i].rule, r->name, len) == 0 &&
		    (p->at[i].rule[len] == '/' || p->at[i].rule[len] == '\0'))
			n++;
	return n;
}

/* What each rule is about, where its facts come from, how sure they are. */
static void
tell_rules(const struct cs_plan *p, enum wn_generation g)
{
	for (const struct hn_rule *const *r = hn_rules; *r != NULL; r++) {
		size_t n = asked_for(p, *r);

		if (n > 0 && g >= (*r)->first && g <= (*r)->last)
			(void)printf("  %s: %zu, %s (%s; %s)\n", (*r)->name, n,
				     (*r)->what, (*r)->source,
				     (*r)->tested == HN_BOOTED ? "boot-tested" :
				     "specified, not boot-tested");
	}
}

static int
plan(const struct cli_args *a, struct err *e)
{
	ASKED_SCOPED struct asked asked = { .drivers = &folders,
					    .first_boot = &steps, .hal = hal };
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	BUF_SCOPED struct buf notes = BUF_EMPTY;
	CS_PLAN_SCOPED struct cs_plan *p = NULL;
	SCOPED_FREE char *text = NULL;
	size_t len;

	if (load_platforms(&names, &asked.platforms, e) < 0 ||
	    (output != NULL && cli_new_output(a, output, e) < 0) ||
	    session_open(a, a->at[0], 0, &s, e) < 0)
		return -1;
	p = make_plan(a, &s, &asked, &notes, e);
	if (p == NULL)
		return -1;
	warn_notes(&notes);
	if (output == NULL) {
		text = cs_text(p, &len, e);
		return text == NULL ? -1 :
		       io_write_all(1, text, len, "standard output", e);
	}
	if (cs_write(p, output, e) < 0)
		return -1;
	(void)printf("%s: %zu changes\n", output, p->count);
	tell_rules(p, s.image.in->generation);
	return 0;
}

const struct cli_cmd cmd_plan = {
	.name = "plan", .operands = "DISK",
	.help = "say what would make an image boot on these machines",
	.opts = plan_opts, .common = CMD_DISK | CLI_FORCE, .min_operands = 1,
	.max_operands = 1, .run = plan,
};

/* ---- apply --------------------------------------------------------------- */

/* Every platform that was asked for must be proven before anything stays. */
static int
prove(const struct cli_args *a, struct session *s,
      const struct hn_platforms *all, struct err *e)
{
	hn_image_done(&s->image);
	if (hn_image_open(s->target, a->root, &s->image, e) < 0)
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		HN_VERDICT_SCOPED struct hn_verdict v = HN_VERDICT_EMPTY;
		const struct hn_link *l;
		char what[512], why[512];

		if (hn_prove(&s->image, &all->at[i], &v, e) < 0)
			return -1;
		l = hn_first_missing(&v);
		if (l == NULL)
			continue;
		return err_set(e, ERR_NO, "%s: still would not boot on %s: %s "
			       "%s: %s; nothing was written", a->at[0],
			       all->at[i].name, l->kind,
			       err_quote(what, sizeof(what), l->what,
					 strlen(l->what)),
			       err_quote(why, sizeof(why), l->why,
					 strlen(l->why)));
	}
	return 0;
}

/* The journal of a change that did not come to be goes; one that stays would
 * do no harm. */
static void
drop_journal(const char *dir, unsigned number)
{
	struct err e = ERR_INIT;

	if (number != 0 && cs_journal_drop(dir, number, &e) < 0)
		log_warn("%s", e.msg);
}

static int
finish(const struct cli_args *a, struct session *s, struct cs_plan *p,
       const struct hn_platforms *all, struct err *e)
{
	SCOPED_FREE char *dir = NULL, *what = NULL;
	struct cs_done done;

	/* The version before is all that takes a change of one back. */
	if (!a->dry_run && !src_is_version(a->at[0])) {
		dir = cs_journal_dir(a->at[0], a->state, e);
		if (dir == NULL)
			return -1;
		cs_target_journal(s->target, dir);
	}
	if (cs_apply(p, s->target, &done, e) < 0)
		return err_ctx(e, "%s", a->at[0]);
	if (prove(a, s, all, e) < 0) {
		drop_journal(dir, done.journal);
		return -1;
	}
	what = cs_transaction("hal-neutral", done.journal, e);
	if (what == NULL || (done.applied > 0 && !a->dry_run &&
			     dk_commit(s->disk, what, e) < 0))
		return -1;
	if (src_made(s->disk) != NULL)
		(void)printf("%s\n", src_made(s->disk));
	if (src_made(s->disk) != NULL)
		(void)printf("%s\n", src_made(s->disk));
	(void)printf("%s: %zu %s, %zu already so\n", a->at[0], done.applied,
		     a->dry_run ? "changes would be made" : "changes made",
		     done.already);
	for (size_t i = 0; i < all->count; i++)
		(void)printf("%-20s YES\n", all->at[i].name);
	return 0;
}

static int
apply(const struct cli_args *a, struct err *e)
{
	ASKED_SCOPED struct asked asked = { .drivers = &folders,
					    .first_boot = &steps, .hal = hal };
	SESSION_SCOPED struct session s = SESSION_EMPTY;
	BUF_SCOPED struct buf notes = BUF_EMPTY;
	CS_PLAN_SCOPED struct cs_plan *p = NULL;

	if ((a->count == 2) == (names.count > 0))
		return err_set(e, ERR_USAGE, "apply: needs either a PLAN or "
			       "--platform");
	if (folders.count + steps.count + (hal != NULL) > 0 &&
	    names.count == 0)
		return err_set(e, ERR_USAGE, "apply: --drivers, --first-boot and "
			       "--hal are for planning; a PLAN names what it "
			       "takes");
	if (names.count > 0 && load_platforms(&names, &asked.platforms, e) < 0)
		return -1;
	if (a->count == 2) {
		p = cs_read(a->at[1], e);
		if (p == NULL)
			return -1;
	}
	if (session_open(a, a->at[0], a->dry_run ? DK_DRY : DK_WRITE, &s,
			 e) < 0)
		return -1;
	if (p == NULL) {
		p = make_plan(a, &s, &asked, &notes, e);
		if (p == NULL)
			return -1;
		warn_notes(&notes);
	}
	return finish(a, &s, p, &asked.platforms, e);
}

static const struct cli_opt apply_opts[] = {
	{ .name = "platform", .arg = "P",
	  .help = "instead of a plan: plan for this machine; may be repeated",
	  .list = &names },
	{ .name = "drivers", .arg = "DIR",
	  .help = "with --platform: a folder with drivers; may be repeated",
	  .list = &folders },
	{ .name = "hal", .arg = "HOW",
	  .help = "with --platform: the HAL of 32-bit XP: menu (all of them) "
		  "or replace", .value = &hal },
	{ .name = "first-boot", .arg = "FILE.cmd",
	  .help = "with --platform: commands for its next start; may be "
		  "repeated", .list = &steps },
	{ .name = NULL }
};

const struct cli_cmd cmd_apply = {
	.name = "apply", .operands = "DISK [PLAN]",
	.help = "change an image as planned, whole or not at all",
	.opts = apply_opts, .common = CMD_DISK | CLI_DRY_RUN | CLI_AS,
	.min_operands = 1, .max_operands = 2, .run = apply,
};
