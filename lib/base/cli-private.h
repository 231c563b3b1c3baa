/* cli-private.h - what cli.c and cli_help.c share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef BASE_CLI_PRIVATE_H
#define BASE_CLI_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/cli.h"

/* An option that commands share, and the CLI_... bits that make them take it;
 * group 0: all do.  The table ends with a NULL name. */
struct cli_common_opt {
	unsigned group;
	struct cli_opt opt;
};

extern const struct cli_common_opt cli_common_opts[];

bool cli_takes(const struct cli_cmd *cmd, const struct cli_common_opt *o);

/* All commands, or with `family` those whose name begins with that word; false
 * when there is none. */
bool cli_help(FILE *out, const char *prog, const char *what, const char *family,
	      const struct cli_cmd *const *cmds);
void cli_help_cmd(FILE *out, const char *prog, const struct cli_cmd *cmd);

/* A completion script for bash, which zsh's bashcompinit reads too. */
void cli_completions(FILE *out, const char *prog,
		     const struct cli_cmd *const *cmds);

#endif /* BASE_CLI_PRIVATE_H */
