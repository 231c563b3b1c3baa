/* cmd.h - the commands of hal-neutral, and what they share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef HAL_NEUTRAL_CMD_H
#define HAL_NEUTRAL_CMD_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/cli.h"
#include "disk/disk.h"
#include "hal-neutral/chain.h"
#include "hal-neutral/image.h"
#include "hal-neutral/platform.h"
#include "hal-neutral/supply.h"

extern const struct cli_cmd cmd_platforms, cmd_inspect, cmd_plan, cmd_apply,
	cmd_verify, cmd_revert;

/* Options that every command with a DISK takes. */
#define CMD_DISK (CLI_ROOT | CLI_VOLUMES | CLI_STATE | CLI_FORMAT | CLI_REPO | \
		  CLI_KEY)

/* A disk with the installation that --root chose. */
struct session {
	struct dk *disk;
	struct cs_target *target;
	struct hn_image image;
	struct hn_fetch fetch;
};

#define SESSION_EMPTY { .disk = NULL }
#define SESSION_SCOPED SCOPED(session_done)

void session_done(struct session *s);

/* `flags` are dk_open()'s.  What it holds of the image must be safe to judge:
 * hibernated, dirty and half-updated ones are refused. */
MUST_CHECK int session_open(const struct cli_args *a, const char *disk,
			    unsigned flags, struct session *ret, struct err *e);

/* The platforms of --platform; at least one. */
MUST_CHECK int load_platforms(const struct cli_list *names,
			      struct hn_platforms *ret, struct err *e);

/* What a plan is to be made of, as the options say. */
struct asked {
	struct hn_platforms platforms;
	const struct cli_list *drivers;		/* folders */
	const struct cli_list *first_boot;	/* command files */
	const char *hal;			/* menu, replace or NULL */
};

#define ASKED_SCOPED SCOPED(asked_done)

void asked_done(struct asked *a);

/* A settled plan; what stays undone goes to the notes. */
MUST_CHECK struct cs_plan *make_plan(const struct cli_args *a,
				     struct session *s,
				     const struct asked *asked,
				     struct buf *notes, struct err *e);

/* Each line of the notes as a warning, once. */
void warn_notes(const struct buf *notes);

#endif /* HAL_NEUTRAL_CMD_H */
