/* cmd_push.c - imgdelta push, and refresh
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "crypt/key.h"
#include "delta/cmd.h"
#include "delta/push.h"
#include "delta/remote.h"
#include "source/source.h"
#include "store/repo.h"

static bool back, unproven;

static void
tell(const struct st_ref *ref, enum dl_pushed what)
{
	static const char *const words[] = {
		[DL_PUSHED] = "",
		[DL_PUSHED_DELTA] = ", and a delta to it",
		[DL_PUSHED_BEFORE] = " is there already",
	};

	(void)printf("%s:%" PRIu64 "%s\n", ref->name, ref->number, words[what]);
	(void)fflush(stdout);
}

static int
push(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	struct dl_push p = { .version = a->at + 1, .versions = a->count - 1,
			     .back = back, .unproven = unproven,
			     .tell = tell };
	ST_REPO_SCOPED struct st_repo *r = src_repo_with_key(a, &k, e);
	bool present;

	if (r == NULL)
		return -1;

	DL_REMOTE_SCOPED struct dl_remote *remote =
		cmd_remote_open(a, a->at[0], &p.trust, e);
	if (remote == NULL)
		return -1;
	p.repo = r;
	p.remote = remote;
	if (dl_push(&p, &present, e) < 0)
		return -1;
	if (!present)
		log_note("%s: clients see it after imgdelta refresh with the "
			 "keys of snapshot and timestamp", a->at[0]);
	return 0;
}

static int
refresh(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key k = CX_KEY_EMPTY;
	struct dl_trust t = { .state = NULL };
	uint64_t release;

	if (cli_need_key(a, e) < 0 ||
	    cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, &k, e) < 0)
		return -1;

	DL_REMOTE_SCOPED struct dl_remote *remote =
		cmd_remote_open(a, a->at[0], &t, e);
	if (remote == NULL || dl_refresh(remote, &t, &k, &release, e) < 0)
		return -1;
	(void)printf("%s: release %" PRIu64 " is the present one\n",
		     dl_remote_name(remote), release);
	return 0;
}

static const struct cli_opt push_opts[] = {
	{ .name = "back", .help = "withdraw newer versions: clients may go back",
	  .flag = &back },
	{ .name = "unproven",
	  .help = "also where a recipe's platform is not proven",
	  .flag = &unproven },
	CMD_REMOTE_OPTS,
	{ .name = NULL }
};

const struct cli_cmd cmd_push = {
	.name = "push", .operands = "URL NAME[:VER]...",
	.help = "put versions onto a mirror, for clients to pull",
	.opts = push_opts, .common = CLI_REPO | CLI_KEY | CLI_STATE,
	.min_operands = 2, .max_operands = SIZE_MAX, .run = push,
};

static const struct cli_opt refresh_opts[] = {
	CMD_REMOTE_OPTS,
	{ .name = NULL }
};

const struct cli_cmd cmd_refresh = {
	.name = "refresh", .operands = "URL",
	.help = "sign anew that what a mirror offers is the newest",
	.opts = refresh_opts, .common = CLI_KEY | CLI_STATE,
	.min_operands = 1, .max_operands = 1, .run = refresh,
};
