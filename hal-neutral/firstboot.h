/* firstboot.h - commands that a guest runs once, when it starts next
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Into %SystemRoot%\Halcyon\FirstBoot go a runner (run.cmd), which needs
 * nothing but cmd.exe and reg.exe, as every Windows since XP has them on any
 * processor, and one command file a step.  A service starts the runner with
 * the system: its program is cmd.exe, which starts the runner and ends.  The
 * service manager takes that for a failed start, which ErrorControl 0 lets pass
 * (specified, not boot-tested).
 *
 * What the runner does: the steps in order, each in a process of its own; status 0 and
 * 3010 ("done, a restart would be good") end a step; any other is tried again
 * at the next start, three times in all.  A step that took the machine down
 * counts as tried.  It never restarts Windows, and when no step is left it
 * switches its service off.  Each try is a line of results.txt, what a step
 * prints lies in state\STEP.log.  A step must bear to be run twice.
 */
#ifndef HAL_NEUTRAL_FIRSTBOOT_H
#define HAL_NEUTRAL_FIRSTBOOT_H

#include <stddef.h>

#include "base/attr.h"
#include "change/plan.h"
#include "hal-neutral/image.h"

struct err;

enum {
	HN_STEPS_MAX = 999,		/* in one installation */
	HN_STEP_BYTES = CS_INLINE_MAX,	/* of one step, its line ends included */
};

struct hn_step {
	const char *name;	/* of [a-z0-9-], at most 32 */
	const void *text;	/* lines of a command file, without NUL; any
				 * line ends */
	size_t len;
};

/*
 * Wish for steps in this order, behind those that lie there already; one that
 * lies there with the same name and text is not wished for again.  The plan
 * must be one for im's target.  A wrong name or a too long text is ERR_USAGE.
 */
MUST_CHECK int hn_want_first_boot(struct cs_plan *p, const struct hn_image *im,
				  const struct hn_step *steps, size_t count,
				  struct cs_reason r, struct err *e);

/* The runner's text, as it lies in the image. */
MUST_CHECK char *hn_first_boot_runner(struct err *e);

#endif /* HAL_NEUTRAL_FIRSTBOOT_H */
