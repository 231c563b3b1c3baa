/* main.c - imgrun: runs managed guests from encrypted images
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/cmd.h"

static const struct cli_cmd *const cmds[] = {
	&cmd_probe, &cmd_create, &cmd_list, &cmd_start, &cmd_stop,
	&cmd_suspend, &cmd_resume, &cmd_status, &cmd_console, &cmd_usb,
	&cmd_update, &cmd_rollback, &cmd_redeploy, &cmd_why, &cmd_remove,
	&cmd_wipe,
	NULL
};

int
main(int argc, char **argv)
{
	return cli_main("imgrun", "run managed guests from encrypted images",
			cmds, argc, argv);
}
