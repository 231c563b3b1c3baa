/* main.c - hal-neutral: one Windows image that boots on any machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stddef.h>

#include "hal-neutral/cmd.h"

int
main(int argc, char **argv)
{
	static const struct cli_cmd *const cmds[] = {
		&cmd_platforms, &cmd_inspect, &cmd_plan, &cmd_apply,
		&cmd_verify, &cmd_revert, NULL
	};

	return cli_main("hal-neutral", "one image that boots on any machine",
			cmds, argc, argv);
}
