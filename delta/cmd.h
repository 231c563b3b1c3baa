/* cmd.h - the commands of imgdelta
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_CMD_H
#define DELTA_CMD_H

#include "base/attr.h"
#include "base/cli.h"
#include "delta/apply.h"

extern const struct cli_cmd cmd_create, cmd_apply, cmd_show, cmd_explain,
	cmd_verify;

/* Open the delta of the first operand with the user's key, whoever signed it:
 * looking is not trusting. */
MUST_CHECK int cmd_look(const struct cli_args *a, struct dl_file *ret,
			struct err *e);

#endif /* DELTA_CMD_H */
