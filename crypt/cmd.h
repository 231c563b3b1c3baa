/* cmd.h - the commands of imgcrypt
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef CRYPT_CMD_H
#define CRYPT_CMD_H

#include "base/cli.h"

extern const struct cli_cmd cmd_keygen, cmd_public, cmd_protect, cmd_seal,
	cmd_open, cmd_sign, cmd_verify, cmd_recipients_list, cmd_recipients_add,
	cmd_recipients_remove, cmd_rotate;

#endif /* CRYPT_CMD_H */
