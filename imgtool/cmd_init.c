/* cmd_init.c - imgtool init: make a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "crypt/key.h"
#include "imgtool/cmd.h"
#include "store/repo.h"

static struct cli_list recipients;
static bool client;

static int
init(const struct cli_args *a, struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;

	if (recipients.count == 0)
		return err_set(e, ERR_USAGE, "%s: whose repository is it? add "
			       "-R PUB", a->at[0]);
	if (cx_pubs_load(&to, recipients.at, recipients.count, e) < 0 ||
	    st_repo_init(a->at[0], client ? ST_REPO_CLIENT : ST_REPO_ORIGIN,
			 &to, e) < 0)
		return -1;
	if (!client && to.count == 1)
		log_note("%s: only one key opens it; if that is lost, so is "
			 "all in it: init with a second -R, kept elsewhere, is "
			 "advised", a->at[0]);
	(void)printf("%s: %s for %zu key%s\n", a->at[0],
		     client ? "client repository" : "repository", to.count,
		     to.count == 1 ? "" : "s");
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "recipient", .letter = 'R', .arg = "PUB",
	  .help = "public key of an administrator, or of this client",
	  .list = &recipients },
	{ .name = "client", .help = "for versions brought here from an origin",
	  .flag = &client },
	{ .name = NULL }
};

const struct cli_cmd cmd_init = {
	.name = "init", .operands = "REPO", .help = "make a repository",
	.opts = opts, .min_operands = 1, .max_operands = 1, .run = init,
};
