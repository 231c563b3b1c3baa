/* cmd.h - the commands of imgrun
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RUNTIME_CMD_H
#define RUNTIME_CMD_H

#include "base/cli.h"

extern const struct cli_cmd cmd_probe;

#endif /* RUNTIME_CMD_H */
