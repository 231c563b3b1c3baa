/* cmd_remove.c - imgrun remove
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "runtime/cmd.h"
#include "runtime/state.h"
#include "runtime/wipe.h"

static int
remove_guest(const struct cli_args *a, struct err *e)
{
	RT_PLACE_SCOPED struct rt_place p = RT_PLACE_EMPTY;
	SCOPED_FD int lock = -1;
	char question[256];

	/* Also one whose files are damaged can go. */
	if (rt_wipe_resume(a->state, e) < 0 ||
	    rt_place_of(a->state, a->at[0], &p, e) < 0)
		return -1;
	if (access(p.dir, F_OK) < 0)
		return err_set(e, ERR_NO, "%s: no such guest below %s; imgrun "
			       "list shows those there are", a->at[0],
			       a->state);
	if (rt_lock_take(&p, a->at[0], &lock, e) < 0)
		return -1;
	(void)snprintf(question, sizeof(question),
		       "%s: remove it with everything it wrote", a->at[0]);
	if (cli_confirm(a, question, e) < 0)
		return -1;
	return rt_stored_remove(&p, e);
}

const struct cli_cmd cmd_remove = {
	.name = "remove", .operands = "G",
	.help = "remove a guest and what it wrote; its image stays",
	.common = CLI_STATE | CLI_YES,
	.min_operands = 1, .max_operands = 1, .run = remove_guest,
};
