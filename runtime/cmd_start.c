/* cmd_start.c - imgrun start
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/err.h"
#include "base/log.h"
#include "runtime/cmd.h"
#include "runtime/supervisor.h"

static int
check_isolation(const struct rt_guest *g, const struct accel *p,
		struct err *e)
{
	if (!g->isolate || accel_kvm(p))
		return 0;
	return err_set(e, ERR_UNSAFE, "%s: may only run where hardware isolates "
		       "it (require-isolation), and here it would be emulated: "
		       "%s", g->name, p->why);
}

static int
start(const struct cli_args *a, struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;
	SCOPED_FD int lock = -1;
	struct accel probe;

	if (rt_stored_load(a->state, a->at[0], &s, e) < 0 ||
	    rt_supervisor_recover(&s.place, s.guest.name, e) < 0 ||
	    rt_lock_take(&s.place, s.guest.name, &lock, e) < 0 ||
	    accel_known(a->state, &probe, e) < 0 ||
	    check_isolation(&s.guest, &probe, e) < 0 ||
	    rt_supervisor_start(&s, &probe, a->passphrase_fd, lock, e) < 0)
		return -1;
	if (!accel_kvm(&probe))
		log_warn("%s: emulated, slowly and without isolation: %s",
			 s.guest.name, probe.why);
	return 0;
}

const struct cli_cmd cmd_start = {
	.name = "start", .operands = "G",
	.help = "start a guest; returns when it runs",
	.common = CLI_STATE | CLI_PASSPHRASE,
	.min_operands = 1, .max_operands = 1, .run = start,
};
