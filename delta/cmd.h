/* cmd.h - the commands of imgdelta
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef DELTA_CMD_H
#define DELTA_CMD_H

#include "base/cli.h"

extern const struct cli_cmd cmd_create, cmd_apply, cmd_show, cmd_verify;

#endif /* DELTA_CMD_H */
