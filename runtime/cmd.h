/* cmd.h - the commands of imgrun
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RUNTIME_CMD_H
#define RUNTIME_CMD_H

#include "base/cli.h"

extern const struct cli_cmd cmd_probe;
extern const struct cli_cmd cmd_create;
extern const struct cli_cmd cmd_list;
extern const struct cli_cmd cmd_start;
extern const struct cli_cmd cmd_stop;
extern const struct cli_cmd cmd_suspend;
extern const struct cli_cmd cmd_resume;
extern const struct cli_cmd cmd_status;
extern const struct cli_cmd cmd_console;
extern const struct cli_cmd cmd_usb;
extern const struct cli_cmd cmd_update;
extern const struct cli_cmd cmd_rollback;
extern const struct cli_cmd cmd_redeploy;
extern const struct cli_cmd cmd_why;
extern const struct cli_cmd cmd_remove;
extern const struct cli_cmd cmd_wipe;

#endif /* RUNTIME_CMD_H */
