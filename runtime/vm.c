/* vm.c - QEMU, started in its jail and waiting
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/scope.h"
#include "runtime/device.h"

#define GREETING_MS 30000	/* a busy machine, not QEMU, needs so long */

/* The descriptors that QEMU gets, in its order. */
enum { FDS_MAX = 6 };

struct fds {
	int at[FDS_MAX];
	size_t count;
};

/* The number that `fd` will have in QEMU; -1 stays -1. */
static int
hand_over(struct fds *f, int fd)
{
	if (fd < 0)
		return -1;
	f->at[f->count++] = fd;
	return RT_FD_FIRST + (int)f->count - 1;
}

int
rt_vm_program(char **ret, struct err *e)
{
	*ret = rt_program("qemu-system-x86_64", e);
	return *ret == NULL ? -1 : 0;
}

static int
open_log(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
		      0600);

	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

/* The guest's own UEFI variables, at first a copy of the firmware's. */
static int
open_vars(const struct rt_stored *s, struct err *e)
{
	const char *path = s->place.vars;
	SCOPED_FREE uint8_t *bytes = NULL;
	const char *from = rt_device_vars();
	size_t len;

	if (access(path, F_OK) < 0) {
		if (from == NULL)
			return err_set(e, ERR_UNSUPPORTED, "UEFI firmware: not "
				       "there; install the package ovmf");
		if (io_slurp(from, 1 << 24, &bytes, &len, e) < 0 ||
		    io_put(path, bytes, len, 0600, e) < 0)
			return -1;
	}
	int fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

static int
spawn(const struct rt_vm *vm, const struct rt_machine *m, const struct fds *f,
      int log, pid_t *ret, struct err *e)
{
	const struct rt_place *p = &vm->s->place;
	const struct rt_path paths[] = {
		{ "/usr/lib", RT_READ | RT_EXEC },
		{ "/usr/lib64", RT_READ | RT_EXEC },
		{ "/lib", RT_READ | RT_EXEC },
		{ "/lib64", RT_READ | RT_EXEC },
		{ "/etc/ld.so.cache", RT_READ },
		{ "/usr/share/qemu", RT_READ },
		{ "/usr/share/seabios", RT_READ },
		{ "/usr/share/OVMF", RT_READ },
		{ "/dev/urandom", RT_READ | RT_DEVICE },
		{ "/dev/null", RT_READ | RT_DEVICE },
		{ vm->program, RT_READ | RT_EXEC },
		{ p->block, RT_READ },
		{ "/dev/kvm", RT_READ | RT_DEVICE },
	};
	const size_t all = sizeof(paths) / sizeof(paths[0]);
	RT_WORDS_SCOPED struct rt_words w = RT_WORDS_EMPTY;

	if (rt_device_argv(m, vm->program, &w, e) < 0)
		return -1;
	const struct rt_spawn how = {
		.what = "QEMU", .argv = w.at, .fds = f->at, .fd_count = f->count,
		.log = log, .paths = paths,
		.path_count = vm->kvm ? all : all - 1,
		.dir = p->block, .root = p->root, .file_max = RT_LOG_MAX,
	};
	return rt_spawn(&how, vm->rung, ret, e);
}

/* Greeting done, and the guest really waits. */
static int
begin(struct rt_qmp *q, struct err *e)
{
	RT_QMP_MSG_SCOPED struct rt_qmp_msg m = RT_QMP_MSG_EMPTY;
	const char *status;

	if (rt_qmp_begin(q, GREETING_MS, e) < 0 ||
	    rt_qmp_run(q, RT_QMP_STATUS, GREETING_MS, &m, e) < 0)
		return -1;
	status = js_get_str(js_get(m.doc, "return"), "status");
	if (status == NULL || strcmp(status, "prelaunch") != 0)
		return err_set(e, ERR_CORRUPT, "QEMU: the guest does not wait "
			       "for its start");
	return 0;
}

/* What QEMU said last is why it ended. */
static void
add_last_words(const char *log, struct err *e)
{
	SCOPED_FREE uint8_t *text = NULL;
	struct err ignored = ERR_INIT;
	char quoted[400];
	size_t len;

	if (io_slurp(log, 1 << 16, &text, &len, &ignored) < 0 || len < 2)
		return;
	const uint8_t *line = memrchr(text, '\n', len - 1);
	line = line == NULL ? text : line + 1;
	size_t n = (size_t)(text + len - 1 - line);
	struct err was = *e;
	*e = (struct err)ERR_INIT;
	(void)err_set(e, ERR_SYSTEM, "%s; its last words: %s", was.msg,
		      err_quote(quoted, sizeof(quoted), line, n));
}

int
rt_vm_start(const struct rt_vm *vm, struct rt_qmp *q, pid_t *ret, struct err *e)
{
	const struct rt_stored *s = vm->s;
	bool uefi = rt_device(s->guest.os)->uefi;
	struct fds f = { .count = 0 };
	int pair[2];
	pid_t pid;

	SCOPED_FD int debug = open_log(s->place.debug_log, e);
	SCOPED_FD int serial = open_log(s->place.serial_log, e);
	SCOPED_FD int log = open_log(s->place.qemu_log, e);
	SCOPED_FD int vars = uefi ? open_vars(s, e) : -1;
	if (debug < 0 || serial < 0 || log < 0 || (uefi && vars < 0))
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "QEMU's monitor");
	const struct rt_machine m = {
		.guest = &s->guest, .uuid = s->bound.uuid, .kvm = vm->kvm,
		.qmp_fd = hand_over(&f, pair[1]),
		.debug_fd = hand_over(&f, debug),
		.serial_fd = hand_over(&f, serial),
		.vars_fd = hand_over(&f, vars), .net_fd = hand_over(&f, vm->net),
		.tpm_fd = hand_over(&f, vm->tpm), .socket = "block.sock",
	};
	int r = spawn(vm, &m, &f, log, &pid, e);
	(void)close(pair[1]);
	q->fd = pair[0];
	if (r < 0)
		return -1;
	if (begin(q, e) < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		add_last_words(s->place.qemu_log, e);
		return -1;
	}
	*ret = pid;
	return 0;
}
