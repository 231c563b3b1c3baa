/* cmd_revert.c - hal-neutral revert
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "change/revert.h"
#include "hal-neutral/cmd.h"
#include "source/source.h"

struct reverting {
	const struct cli_args *a;
	struct session s;
};

static void
reverting_done(struct reverting *r)
{
	session_done(&r->s);
}

static struct cs_target *
open_target(void *arg, struct dk **ret_disk, struct err *e)
{
	struct reverting *r = arg;

	if (session_open(r->a, r->a->at[0], r->a->dry_run ? DK_DRY : DK_WRITE,
			 &r->s, e) < 0)
		return NULL;
	*ret_disk = r->s.disk;
	return r->s.target;
}

static int
revert(const struct cli_args *a, struct err *e)
{
	SCOPED(reverting_done) struct reverting own = {
		.a = a, .s = SESSION_EMPTY,
	};
	CS_REVERTED_SCOPED struct cs_reverted done = CS_REVERTED_EMPTY;
	const struct cs_reverting r = {
		.program = "hal-neutral", .disk = a->at[0],
		.format = a->format, .state = a->state, .dry = a->dry_run,
		.open = open_target, .arg = &own,
	};

	if (src_is_version(a->at[0]))
		return err_set(e, ERR_USAGE, "%s: a stored version does not "
			       "change; use the version before it", a->at[0]);
	if (cs_revert_last(&r, &done, e) < 0)
		return -1;
	warn_notes(&done.kept);
	if (done.undone)
		(void)printf("%s: %s as it was before change set %u\n",
			     a->at[0], a->dry_run ? "would be" : "is",
			     done.journal);
	else
		(void)printf("%s: %zu changes %s, %zu were so already, %zu "
			     "stay\n", a->at[0], done.done.applied, a->dry_run ?
			     "would be taken back" : "taken back",
			     done.done.already, done.done.kept);
	return 0;
}

const struct cli_cmd cmd_revert = {
	.name = "revert", .operands = "DISK",
	.help = "take back the last change set",
	.common = CMD_DISK | CLI_DRY_RUN, .min_operands = 1, .max_operands = 1,
	.run = revert,
};
