/* main.c - profmig: people's profiles from one Windows to the next
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stddef.h>

#include "base/cli.h"
#include "profmig/cmd.h"

int
main(int argc, char **argv)
{
	/* In the order of the manual. */
	static const struct cli_cmd *const cmds[] = {
		&cmd_users,
		&cmd_extract,
		&cmd_show,
		&cmd_plan,
		&cmd_apply,
		&cmd_verify,
		&cmd_revert,
		&cmd_why,
		&cmd_batch,
		NULL
	};

	return cli_main("profmig", "people's profiles from one Windows to "
			"the next", cmds, argc, argv);
}
