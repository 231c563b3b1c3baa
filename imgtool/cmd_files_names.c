/* cmd_files_names.c - imgtool files mkdir and rm
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdlib.h>

#include "base/cli.h"
#include "base/err.h"
#include "imgtool/cmd.h"
#include "imgtool/files.h"

static bool parents, deep;

static int
files_mkdir(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;

	if (files_open(a, true, &f, e) < 0)
		return -1;
	for (size_t i = 1; i < a->count; i++) {
		SCOPED_FREE char *inside = NULL;
		struct vo *v;

		if (files_find(&f, a->at[i], &v, &inside, e) < 0 ||
		    (parents ? vo_mkdirs(v, inside, e)
			     : vo_mkdir(v, inside, e)) < 0)
			return -1;
	}
	return files_commit(&f, "mkdir", a->at[1], e);
}

static const struct cli_opt mkdir_opts[] = {
	{ .name = "parents", .letter = 'p', .flag = &parents,
	  .help = "make the folders above too, and mind none that is there" },
	{ .name = NULL }
};

const struct cli_cmd cmd_files_mkdir = {
	.name = "files mkdir", .operands = "DISK PATH...",
	.help = "make folders in a disk", .opts = mkdir_opts,
	.common = CLI_DRY_RUN | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE | CLI_AS,
	.min_operands = 2, .max_operands = SIZE_MAX, .run = files_mkdir,
};

static int
files_rm(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;

	if (files_open(a, true, &f, e) < 0)
		return -1;
	for (size_t i = 1; i < a->count; i++) {
		SCOPED_FREE char *inside = NULL;
		struct vo_stat st;
		struct vo *v;

		if (files_need(&f, a->at[i], &v, &inside, &st, e) < 0 ||
		    (deep ? vo_remove_tree(v, inside, e)
			  : vo_remove(v, inside, e)) < 0)
			return -1;
	}
	return files_commit(&f, "rm", a->at[1], e);
}

static const struct cli_opt rm_opts[] = {
	{ .name = "recursive", .letter = 'R', .flag = &deep,
	  .help = "remove folders with what is in them" },
	{ .name = NULL }
};

const struct cli_cmd cmd_files_rm = {
	.name = "files rm", .operands = "DISK PATH...",
	.help = "remove files, streams and empty folders from a disk",
	.opts = rm_opts,
	.common = CLI_DRY_RUN | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE | CLI_AS,
	.min_operands = 2, .max_operands = SIZE_MAX, .run = files_rm,
};
