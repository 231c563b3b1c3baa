/* cmd_revert.c - profmig revert: the last profiles brought, taken back
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "change/revert.h"
#include "disk/disk.h"
#include "profmig/cmd.h"
#include "source/source.h"

struct reverting {
	const struct cli_args *a;
	struct dk *disk;
	struct cs_target *target;
};

static void
reverting_done(struct reverting *r)
{
	cs_target_free(&r->target);
	dk_free(&r->disk);
}

static struct cs_target *
open_target(void *arg, struct dk **ret_disk, struct err *e)
{
	struct reverting *r = arg;

	r->disk = src_open(r->a, r->a->at[0],
			   r->a->dry_run ? DK_DRY : DK_WRITE, e);
	r->target = r->disk == NULL ? NULL : cs_target_new(r->disk, true, e);
	*ret_disk = r->disk;
	return r->target;
}

static int
revert(const struct cli_args *a, struct err *e)
{
	SCOPED(reverting_done) struct reverting own = { .a = a };
	CS_REVERTED_SCOPED struct cs_reverted done = CS_REVERTED_EMPTY;
	const struct cs_reverting r = {
		.program = "profmig", .disk = a->at[0], .format = a->format,
		.state = a->state, .dry = a->dry_run, .open = open_target,
		.arg = &own,
	};
	const char *line;

	if (src_is_version(a->at[0]))
		return err_set(e, ERR_USAGE, "%s: a stored version does not "
			       "change; use the version before it", a->at[0]);
	if (cs_revert_last(&r, &done, e) < 0)
		return -1;
	for (line = (const char *)done.kept.at;
	     line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1)
		log_warn("%.*s", (int)strcspn(line, "\n"), line);
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
	.help = "take back the profiles that were brought last",
	.common = CLI_DRY_RUN | CLI_REPO | CLI_STATE | CLI_FORMAT,
	.min_operands = 1, .max_operands = 1, .run = revert,
};
