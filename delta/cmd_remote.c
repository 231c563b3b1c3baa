/* cmd_remote.c - the options that push, pull and refresh share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/err.h"
#include "base/num.h"
#include "delta/cmd.h"
#include "delta/remote.h"
#include "delta/trust.h"

struct cmd_remote cmd_remote;

static int
number(const char *option, const char *word, uint64_t min, uint64_t max,
       uint64_t *ret, struct err *e)
{
	if (word == NULL || num_parse(word, min, max, true, ret))
		return 0;
	return err_set(e, ERR_USAGE, "--%s: no number that makes sense: %s",
		       option, word);
}

struct dl_remote *
cmd_remote_open(const struct cli_args *a, const char *url,
		struct dl_trust *ret_trust, struct err *e)
{
	struct dl_remote_how how = {
		.cert = cmd_remote.cert, .cert_key = cmd_remote.cert_key,
		.ca = cmd_remote.ca,
	};
	uint64_t timeout = DL_TIMEOUT, retries = DL_RETRIES;

	if (number("limit", cmd_remote.limit, 1024, UINT64_MAX, &how.limit,
		   e) < 0 ||
	    number("timeout", cmd_remote.timeout, 1, 86400, &timeout, e) < 0 ||
	    number("retries", cmd_remote.retries, 0, 1000, &retries, e) < 0)
		return NULL;
	how.timeout = (unsigned)timeout;
	how.retries = (unsigned)retries;
	ret_trust->state = a->state;
	ret_trust->root = cmd_remote.trust;
	return dl_remote_open(url, &how, e);
}
