/* supervisor.c - the process that runs one guest
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/supervisor-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/peer.h"
#include "runtime/vm.h"

#define QUIT_MS 5000		/* QEMU flushes and leaves; then it is killed */
#define QMP_MS 5000
#define RESTARTS_MAX 5		/* of the block server ... */
#define RESTARTS_MS 60000	/* ... in this time: more, and it will not get
				   better by itself */

void
rt_super_note(struct rt_super *r, enum rt_event ev, const char *detail)
{
	struct err ignored = ERR_INIT;

	if (rt_state_after(r->journal.state, ev) >= 0)
		(void)!rt_journal_add(&r->journal, ev, detail, &ignored);
}

void
rt_super_kill(struct rt_super *r)
{
	struct err ignored = ERR_INIT;

	if (r->vm_pid == 0)
		return;
	r->kill_at_ms = clock_ms() + QUIT_MS;
	/* A guest that waits for its disk would wait on while QEMU drains. */
	if (r->block_pid == 0 || r->qmp.fd < 0 ||
	    rt_qmp_run(&r->qmp, RT_QMP_QUIT, QMP_MS, NULL, &ignored) < 0)
		(void)kill(r->vm_pid, SIGKILL);
}

void
rt_super_on_event(const struct rt_qmp_msg *m, void *arg)
{
	struct rt_super *r = arg;
	const struct js *data = js_get(m->doc, "data");
	bool yes = false;

	if (strcmp(m->name, "SHUTDOWN") == 0) {
		bool guest = js_get_bool(data, "guest", &yes) && yes;

		(void)snprintf(r->why, sizeof(r->why), "%s", guest
			       ? "the guest powered off" : "as asked");
	} else if (strcmp(m->name, "BLOCK_IO_ERROR") == 0) {
		bool full = js_get_bool(data, "nospace", &yes) && yes;

		(void)snprintf(r->why, sizeof(r->why), "%s", full
			       ? "the host's disk is full"
			       : "a disk error; see block.log");
	} else if (strcmp(m->name, "GUEST_PANICKED") == 0) {
		(void)snprintf(r->why, sizeof(r->why), "the guest panicked");
		r->panicked = true;
	} else if (strcmp(m->name, "STOP") == 0) {
		rt_super_note(r, RT_EV_PAUSED, r->why);
	} else if (strcmp(m->name, "RESUME") == 0) {
		rt_super_note(r, RT_EV_RESUMED, "");
	}
}

/* "killed by signal 9", "ended with status 1". */
static void
tell_end(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(text, size, "killed by signal %d",
			       WTERMSIG(status));
	else
		(void)snprintf(text, size, "ended with status %d",
			       WEXITSTATUS(status));
}

/* The block server died under a guest that needs it. */
static void
restart_block(struct rt_super *r, int status)
{
	char how[64];
	uint64_t now = clock_ms();

	r->block_pid = 0;
	tell_end(status, how, sizeof(how));
	if (r->vm_pid == 0 || r->kill_at_ms != 0)
		return;
	if (now - r->restart_from_ms > RESTARTS_MS) {
		r->restart_from_ms = now;
		r->restart_count = 0;
	}
	if (++r->restart_count > RESTARTS_MAX)
		(void)err_set(&r->failure, ERR_SYSTEM, "block server: %s, and "
			      "%d times before within a minute", how,
			      RESTARTS_MAX);
	else if (rt_blockd_start(&r->block, &r->keyd, &r->block_pid, &r->said,
				 &r->failure) == 0) {
		char said[128];

		r->restarts++;
		(void)snprintf(said, sizeof(said), "the block server was %s, "
			       "and is back", how);
		rt_super_note(r, RT_EV_BLOCK_RESTARTED, said);
		return;
	}
	rt_super_kill(r);
}

static void
vm_ended(struct rt_super *r, int status)
{
	char how[64];

	r->vm_pid = 0;
	if (r->by_force || r->failure.kind != ERR_NONE)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	tell_end(status, how, sizeof(how));
	(void)err_set(&r->failure, ERR_SYSTEM, "QEMU: %s", how);
}

static void
reap(struct rt_super *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == r->vm_pid) {
			vm_ended(r, status);
		} else if (pid == r->block_pid) {
			restart_block(r, status);
		} else if (pid == r->net_pid) {
			rt_super_restart_net(r);
		} else if (pid == r->tpm_pid) {
			r->tpm_pid = 0;	/* its guest sees a TPM that failed */
		} else if (pid == r->keyd.pid) {
			/* The guest runs on; only a restart of its block
			 * server would need the key. */
			r->keyd.pid = 0;
		}
	}
}

static void
take_signal(struct rt_super *r)
{
	struct signalfd_siginfo info;
	struct err ignored = ERR_INIT;

	if (read(r->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGTERM && r->qmp.fd >= 0) {
		/* The host goes down: what a user's `stop` would do. */
		rt_super_note(r, RT_EV_STOPPING, "the host asked");
		(void)!rt_qmp_run(&r->qmp, RT_QMP_POWERDOWN, QMP_MS, NULL,
				  &ignored);
	}
	reap(r);
}

static void
take_events(struct rt_super *r)
{
	struct err e = ERR_INIT;

	if (rt_qmp_pump(&r->qmp, &e) == 0)
		return;
	/* Closed: its end follows.  Garbage: it is no longer to be trusted. */
	bool garbage = e.kind == ERR_CORRUPT;
	rt_qmp_done(&r->qmp);
	if (garbage) {
		r->failure = e;
		rt_super_kill(r);
	}
}

static void
loop(struct rt_super *r)
{
	while (r->vm_pid != 0) {
		struct pollfd p[5 + RT_CLIENTS] = {
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->qmp.fd, .events = POLLIN },
			{ .fd = r->control, .events = POLLIN },
			{ .fd = r->display, .events = POLLIN },
			{ .fd = r->usb.events, .events = POLLIN },
		};

		for (size_t i = 0; i < RT_CLIENTS; i++)
			p[5 + i] = (struct pollfd){ .fd = r->client[i],
						    .events = POLLIN };
		int wait = r->kill_at_ms == 0 ? -1
					      : clock_left(r->kill_at_ms);
		int until = rt_super_usb_wait(r, rt_super_judge_wait(r, wait));
		if (poll(p, 5 + RT_CLIENTS, until) < 0)
			continue;
		if (wait == 0)
			(void)kill(r->vm_pid, SIGKILL);
		if (p[1].revents != 0)
			take_events(r);
		if (p[0].revents != 0)
			take_signal(r);
		if (p[2].revents != 0)
			rt_super_accept(r);
		if (p[3].revents != 0)
			rt_super_view(r);
		if (p[4].revents != 0)
			rt_super_usb_event(r);
		for (size_t i = 0; i < RT_CLIENTS; i++)
			if (p[5 + i].revents != 0)
				rt_super_serve(r, i);
		if (r->vm_pid != 0 && r->kill_at_ms == 0) {
			rt_super_judge(r);
			rt_super_usb_look(r);
		}
	}
}

/* A block server flushes what it has and writes its index down; it gets the
 * time for that. */
static void
end_block(struct rt_super *r)
{
	if (r->block_pid == 0)
		return;
	(void)kill(r->block_pid, SIGTERM);
	for (int i = 0; i < 500; i++) {
		if (waitpid(r->block_pid, NULL, WNOHANG) != 0) {
			r->block_pid = 0;
			return;
		}
		(void)usleep(10000);
	}
	(void)kill(r->block_pid, SIGKILL);
	(void)waitpid(r->block_pid, NULL, 0);
	r->block_pid = 0;
}

static void
end_one(pid_t *pid)
{
	if (*pid != 0) {
		(void)kill(*pid, SIGKILL);
		(void)waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void
finish(struct rt_super *r)
{
	if (r->qmp.fd >= 0)
		take_events(r);
	end_block(r);
	end_one(&r->net_pid);
	end_one(&r->tpm_pid);
	scope_close(&r->net);
	rt_super_judge_end(r);
	if (r->failure.kind != ERR_NONE)
		rt_super_note(r, RT_EV_FAILED, r->failure.msg);
	else
		rt_super_note(r, RT_EV_STOPPED, r->by_force ? "by force"
			      : r->why[0] != '\0' ? r->why : "QEMU ended");
	rt_qmp_done(&r->qmp);
}

void
rt_super_run(struct rt_super *r)
{
	loop(r);
	finish(r);
}

void
rt_super_end(struct rt_super *r)
{
	rt_keyd_end(&r->keyd);
	/* Whoever waits for us to end may start the guest the next moment. */
	(void)close(r->lock);
}
