/* cmd_mount.c - imgtool mount: a disk's files under a folder of this machine
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/ready.h"
#include "base/scope.h"
#include "disk/disk.h"
#include "imgtool/cmd.h"
#include "imgtool/files.h"
#include "imgtool/mount.h"
#include "source/source.h"

static bool raw, background;

/* Who is told that it can be used: our parent, or the user. */
struct waiting {
	int fd;		/* -1: the user */
};

static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		(void)dup2(null, fd);
}

static void
ready(void *arg, const char *dir)
{
	struct waiting *w = arg;
	struct err none = ERR_INIT;

	if (w->fd < 0) {
		(void)printf("mounted %s\n", dir);
		(void)fflush(stdout);
		return;
	}
	leave_terminal();
	ready_say(w->fd, &none, "");
	w->fd = -1;
}

static int
show(const struct cli_args *a, struct waiting *w, struct err *e)
{
	DK_SCOPED struct dk *disk = NULL;
	FILES_SCOPED struct files f = FILES_EMPTY;
	MOUNT_SCOPED struct mount m = MOUNT_EMPTY;

	if (raw) {
		disk = src_open(a, a->at[0], 0, e);
		if (disk == NULL)
			return -1;
	} else if (files_open(a, false, &f, e) < 0) {
		return -1;
	}
	if (mount_prepare(raw ? disk : f.disk, raw ? NULL : &f, &m, e) < 0)
		return -1;
	return mount_run(&m, a->at[1], ready, w, e);
}

/* The child that stays: ends with the process. */
static _Noreturn void
stay(const struct cli_args *a, int fd)
{
	struct waiting w = { .fd = fd };
	struct err e = ERR_INIT;
	int r = show(a, &w, &e);

	if (w.fd >= 0)
		ready_say(w.fd, &e, "");
	else if (r < 0)
		log_warn("%s", e.msg);
	exit(r < 0 ? err_exit_status(&e) : 0);
}

static int
mount(const struct cli_args *a, struct err *e)
{
	struct waiting user = { .fd = -1 };
	char nothing[READY_TEXT];
	int tell[2];

	if (!background)
		return show(a, &user, e);
	/* Before anything is open: what serves a volume ends with who began it. */
	if (pipe2(tell, O_CLOEXEC) < 0)
		return err_sys(e, "mount");
	SCOPED_FD int from = tell[0], to = tell[1];
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "mount");
	if (pid == 0)
		stay(a, to);
	(void)close(to);
	to = -1;
	if (ready_await(from, -1, a->at[1], nothing, e) < 0)
		return -1;
	(void)printf("mounted %s\n", a->at[1]);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "raw", .help = "show the disk as one file, disk.raw",
	  .flag = &raw },
	{ .name = "background", .letter = 'b',
	  .help = "return when it can be used, and go on behind",
	  .flag = &background },
	{ .name = NULL }
};

const struct cli_cmd cmd_mount = {
	.name = "mount", .operands = "DISK DIR",
	.help = "show the files of a disk under a folder, read only",
	.opts = opts,
	.common = CLI_ROOT | CLI_VOLUMES | CLI_STATE | CLI_FORMAT | CLI_REPO |
		  CLI_KEY,
	.min_operands = 2, .max_operands = 2, .run = mount,
};
