/* main.c - imgdelta: what changed between two images, sealed and signed
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stddef.h>

#include "base/cli.h"
#include "delta/cmd.h"

int
main(int argc, char **argv)
{
	static const struct cli_cmd *const cmds[] = {
		&cmd_create, &cmd_apply, &cmd_show, &cmd_explain,
		&cmd_verify, &cmd_push, &cmd_pull, &cmd_refresh,
		&cmd_trust_init, &cmd_trust_add, &cmd_trust_rotate,
		&cmd_trust_show, NULL
	};

	return cli_main("imgdelta", "sealed differences between images", cmds,
			argc, argv);
}
