/* cmd_open.c - opening a delta to look at it
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <string.h>

#include "base/err.h"
#include "crypt/key.h"
#include "delta/cmd.h"

int
cmd_look(const struct cli_args *a, struct dl_file *ret, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	CX_PUBS_SCOPED struct cx_pubs anybody = CX_PUBS_EMPTY;
	struct cx_pub signer = { .name = "" };
	struct st_container_info info;
	const struct cx_pub *by;

	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(a->at[0], ST_CONTAINER_DELTA, e);

	if (c == NULL)
		return -1;
	info = st_container_info(c);
	memcpy(signer.sign, info.signer, sizeof(signer.sign));
	if ((info.is_signed && cx_pubs_add(&anybody, &signer, e) < 0) ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0)
		return -1;
	return dl_file_open(a->at[0], &k, &anybody, &by, ret, e);
}
