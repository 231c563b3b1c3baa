/* cmd_stop.c - imgrun stop, suspend, resume
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "runtime/cmd.h"
#include "runtime/journal.h"
#include "runtime/peer.h"
#include "runtime/supervisor.h"

static const char *within;

/* Load the guest; 1 when it has a supervisor, 0 when it is off. */
static int
find(const struct cli_args *a, struct rt_stored *s, struct err *e)
{
	if (rt_stored_load(a->state, a->at[0], s, e) < 0 ||
	    rt_supervisor_recover(&s->place, s->guest.name, e) < 0)
		return -1;
	return rt_lock_held(&s->place, e);
}

/* The connection ends with the supervisor, and it with the guest. */
static int
await_end(const char *name, int fd, uint64_t seconds, struct err *e)
{
	struct err late = ERR_INIT;
	char byte[1];
	size_t len;

	if (rt_peer_recv(fd, (int)seconds * 1000, byte, 1, &len, NULL,
			 &late) == 0)
		return 0;
	return err_set(e, ERR_SYSTEM, "%s: has not shut down within %d s; wait, "
		       "or imgrun stop --force %s", name, (int)seconds, name);
}

static int
stop(const struct cli_args *a, struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;
	SCOPED_FD int fd = -1;
	uint64_t seconds = 120;

	if (within != NULL && !num_parse(within, 1, 86400, false, &seconds))
		return err_set(e, ERR_USAGE, "--within %s: not a number of seconds "
			       "from 1 to 86400", within);
	int up = find(a, &s, e);
	if (up < 0)
		return -1;
	if (up == 0) {
		log_note("%s: is not running", s.guest.name);
		return 0;
	}
	if (rt_supervisor_ask(&s.place, s.guest.name,
			      a->force ? "kill" : "stop", NULL, &fd, e) < 0)
		return -1;
	return await_end(s.guest.name, fd, seconds, e);
}

static int
ask(const struct cli_args *a, const char *request, struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;
	int up = find(a, &s, e);

	if (up < 0)
		return -1;
	if (up == 0)
		return err_set(e, ERR_UNSAFE, "%s: is not running; imgrun start "
			       "%s", s.guest.name, s.guest.name);
	return rt_supervisor_ask(&s.place, s.guest.name, request, NULL, NULL, e);
}

static int
suspend(const struct cli_args *a, struct err *e)
{
	return ask(a, "pause", e);
}

static int
resume(const struct cli_args *a, struct err *e)
{
	return ask(a, "resume", e);
}

static const struct cli_opt stop_opts[] = {
	{ .name = "within", .arg = "SECONDS",
	  .help = "how long the guest may take (120)", .value = &within },
	{ .name = NULL }
};

const struct cli_cmd cmd_stop = {
	.name = "stop", .operands = "G",
	.help = "shut a guest down; with --force, pull its plug",
	.opts = stop_opts, .common = CLI_STATE | CLI_FORCE,
	.min_operands = 1, .max_operands = 1, .run = stop,
};

const struct cli_cmd cmd_suspend = {
	.name = "suspend", .operands = "G",
	.help = "let a guest stand still",
	.common = CLI_STATE, .min_operands = 1, .max_operands = 1,
	.run = suspend,
};

const struct cli_cmd cmd_resume = {
	.name = "resume", .operands = "G",
	.help = "let it go on",
	.common = CLI_STATE, .min_operands = 1, .max_operands = 1,
	.run = resume,
};
