/* main.c - imgcrypt: keys, sealing and signatures
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stddef.h>

#include "base/cli.h"
#include "crypt/cmd.h"

int
main(int argc, char **argv)
{
	static const struct cli_cmd *const cmds[] = {
		&cmd_keygen, &cmd_public, &cmd_protect, &cmd_seal, &cmd_open,
		&cmd_sign, &cmd_verify, &cmd_recipients_list,
		&cmd_recipients_add, &cmd_recipients_remove, &cmd_rotate, NULL
	};

	return cli_main("imgcrypt", "keys, sealing and signatures", cmds, argc,
			argv);
}
