/* main.c - imgtool: images, their versions, and what is inside them
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stddef.h>

#include "base/cli.h"
#include "imgtool/cmd.h"

int
main(int argc, char **argv)
{
	/* In the order of the manual. */
	static const struct cli_cmd *const cmds[] = {
		&cmd_init,
		&cmd_import,
		&cmd_export,
		&cmd_commit,
		&cmd_build,
		&cmd_images,
		&cmd_log,
		&cmd_diff,
		&cmd_tag,
		&cmd_remove,
		&cmd_gc,
		&cmd_stats,
		&cmd_verify,
		&cmd_serve,
		&cmd_mount,
		&cmd_inspect,
		&cmd_files_ls,
		&cmd_files_stat,
		&cmd_files_cat,
		&cmd_files_get,
		&cmd_files_put,
		&cmd_files_mkdir,
		&cmd_files_rm,
		&cmd_reg_get,
		&cmd_reg_ls,
		&cmd_reg_export,
		&cmd_reg_set,
		&cmd_reg_delete,
		&cmd_reg_import,
		&cmd_reg_check,
		&cmd_reg_replay,
		&cmd_history,
		&cmd_undo,
		NULL
	};

	return cli_main("imgtool", "images, and what is inside them", cmds,
			argc, argv);
}
