/* cmd.h - the commands of imgtool, one line each
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef IMGTOOL_CMD_H
#define IMGTOOL_CMD_H

#include "base/cli.h"

extern const struct cli_cmd cmd_init;
extern const struct cli_cmd cmd_import;
extern const struct cli_cmd cmd_export;
extern const struct cli_cmd cmd_commit;
extern const struct cli_cmd cmd_build;
extern const struct cli_cmd cmd_images;
extern const struct cli_cmd cmd_log;
extern const struct cli_cmd cmd_diff;
extern const struct cli_cmd cmd_tag;
extern const struct cli_cmd cmd_remove;
extern const struct cli_cmd cmd_gc;
extern const struct cli_cmd cmd_stats;
extern const struct cli_cmd cmd_verify;
extern const struct cli_cmd cmd_serve;
extern const struct cli_cmd cmd_mount;
extern const struct cli_cmd cmd_inspect;
extern const struct cli_cmd cmd_files_ls;
extern const struct cli_cmd cmd_files_stat;
extern const struct cli_cmd cmd_files_cat;
extern const struct cli_cmd cmd_files_get;
extern const struct cli_cmd cmd_files_put;
extern const struct cli_cmd cmd_files_mkdir;
extern const struct cli_cmd cmd_files_rm;
extern const struct cli_cmd cmd_reg_get;
extern const struct cli_cmd cmd_reg_ls;
extern const struct cli_cmd cmd_reg_export;
extern const struct cli_cmd cmd_reg_set;
extern const struct cli_cmd cmd_reg_delete;
extern const struct cli_cmd cmd_reg_import;
extern const struct cli_cmd cmd_reg_check;
extern const struct cli_cmd cmd_reg_replay;
extern const struct cli_cmd cmd_history;
extern const struct cli_cmd cmd_undo;

#endif /* IMGTOOL_CMD_H */
