/* cmd_console.c - imgrun console: what a guest wrote to its debug port
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/stop.h"
#include "runtime/cmd.h"
#include "runtime/state.h"

static bool serial, follow;

#define LOOK_US 200000

/* Copy what the log has beyond *at. */
static int
copy(int fd, const char *path, uint64_t *at, struct err *e)
{
	char part[65536];
	ssize_t n;

	while ((n = pread(fd, part, sizeof(part), (off_t)*at)) > 0) {
		if (io_write_all(STDOUT_FILENO, part, (size_t)n,
				 "standard output", e) < 0)
			return -1;
		*at += (uint64_t)n;
	}
	return n < 0 ? err_sys(e, "%s", path) : 0;
}

static int
console(const struct cli_args *a, struct err *e)
{
	RT_STORED_SCOPED struct rt_stored s = RT_STORED_EMPTY;
	uint64_t at = 0;

	if (rt_stored_load(a->state, a->at[0], &s, e) < 0)
		return -1;
	const char *path = serial ? s.place.serial_log : s.place.debug_log;
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;	/* never started */
	if (fd < 0)
		return err_sys(e, "%s", path);
	for (;;) {
		/* Asked before reading, so that its last words are read. */
		int up = follow ? rt_lock_held(&s.place, e) : 0;

		if (up < 0 || copy(fd, path, &at, e) < 0)
			return -1;
		if (up == 0)
			return 0;
		(void)usleep(LOOK_US);
		if (stop_check(e) < 0)
			return -1;
	}
}

static const struct cli_opt opts[] = {
	{ .name = "serial", .help = "the first serial port instead",
	  .flag = &serial },
	{ .name = "follow", .letter = 'f',
	  .help = "go on until the guest is off", .flag = &follow },
	{ .name = NULL }
};

const struct cli_cmd cmd_console = {
	.name = "console", .operands = "G",
	.help = "print what a guest wrote to its debug port",
	.opts = opts, .common = CLI_STATE,
	.min_operands = 1, .max_operands = 1, .run = console,
};
