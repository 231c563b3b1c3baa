/* launch.c - from a stopped guest to a supervisor with a running one
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/supervisor-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/mem.h"
#include "runtime/layer.h"
#include "runtime/netd.h"
#include "runtime/peer.h"
#include "runtime/tpm.h"
#include "runtime/vm.h"

#define QMP_MS 10000

/* Nothing of the terminal, of the shell that called us, or of its pipes stays
 * with us: its caller would wait for them.  `keep` ends with -1. */
static int
detach(const int *keep, struct err *e)
{
	int null = open("/dev/null", O_RDWR);
	int max = 0;

	if (null < 0 || setsid() < 0 || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return err_sys(e, "supervisor");
	for (const int *k = keep; *k >= 0; k++)
		max = *k > max ? *k : max;
	for (int fd = 3; fd <= max; fd++) {
		const int *k = keep;

		while (*k >= 0 && *k != fd)
			k++;
		if (*k < 0)
			(void)close(fd);
	}
	if (close_range((unsigned)max + 1, ~0U, 0) < 0 || chdir("/") < 0)
		return err_sys(e, "supervisor");
	(void)umask(077);
	(void)prctl(PR_SET_NAME, "imgrun-guest", 0, 0, 0);
	return 0;
}

static int
watch_signals(struct rt_super *r, struct err *e)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "supervisor");
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return r->signals < 0 ? err_sys(e, "supervisor") : 0;
}

/* The socket and the log of every block server of this guest. */
static int
open_block(struct rt_super *r, struct err *e)
{
	const struct rt_place *p = &r->s->place;

	if (r->block.listener >= 0)
		return 0;
	r->block.log = open(p->block_log, O_WRONLY | O_CREAT | O_TRUNC |
			    O_APPEND | O_CLOEXEC, 0600);
	if (r->block.log < 0)
		return err_sys(e, "%s", p->block_log);
	r->block.repo = r->s->bound.repo;
	r->block.layers = p->layers;
	r->block.root = p->root;
	r->block.rung = r->rung;
	return rt_peer_listen(p->block, "block.sock", SOCK_STREAM,
			      &r->block.listener, e);
}

static int
start_block(struct rt_super *r, struct err *e)
{
	static char layer[RT_VERSION_ROOM];

	if (open_block(r, e) < 0 ||
	    rt_layer_tidy(&r->s->place, &r->journal.slots, r->s->guest.keep,
			  e) < 0 ||
	    rt_layer_check(r->s, r->version, e) < 0)
		return -1;
	rt_layer_name(r->version, layer);
	r->block.image = r->version;
	r->block.layer = layer;
	r->block.user = r->s->bound.user;
	return rt_blockd_start(&r->block, &r->keyd, &r->block_pid, &r->said, e);
}

/* A try counts from the moment that it is on record. */
static int
begin_trial(struct rt_super *r, struct err *e)
{
	const struct rt_slots *s = &r->journal.slots;
	char detail[RT_DETAIL_ROOM];

	/* The last try ended with the supervisor or the machine. */
	if (s->next[0] != '\0' && s->tries >= r->s->guest.health.tries) {
		(void)snprintf(detail, sizeof(detail), "%s never got well in %u "
			       "tries; back to %s", s->next, s->tries, s->active);
		rt_super_note(r, RT_EV_REJECTED, detail);
	}
	(void)snprintf(r->version, sizeof(r->version), "%s", rt_slots_start(s));
	r->trial = s->next[0] != '\0';
	if (!r->trial)
		return 0;
	(void)snprintf(detail, sizeof(detail), "%s try %u of %u", r->version,
		       s->tries + 1, r->s->guest.health.tries);
	return rt_journal_add(&r->journal, RT_EV_TRIAL, detail, e);
}

/* Our own sockets, once. */
static int
listen_all(struct rt_super *r, struct err *e)
{
	const char *dir = r->s->place.run;

	if (r->control < 0 && rt_peer_listen(dir, "control.sock", SOCK_SEQPACKET,
					     &r->control, e) < 0)
		return -1;
	if (r->s->guest.display == RT_DISPLAY_NONE || r->display >= 0)
		return 0;
	return rt_peer_listen(dir, "display.sock", SOCK_STREAM, &r->display, e);
}

/* A pair of sockets: ours, which goes to a process beside QEMU, and QEMU's. */
static int
make_pair(int type, int *ret_ours, int *ret_qemu, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socket pair");
	*ret_ours = pair[0];
	*ret_qemu = pair[1];
	return 0;
}

/* QEMU, and what it needs beside it. */
static int
start_vm(struct rt_super *r, struct err *e)
{
	const struct rt_guest *g = &r->s->guest;
	SCOPED_FD int net = -1, tpm_ours = -1, tpm = -1;

	if (g->net == RT_NET_NAT &&
	    (make_pair(SOCK_DGRAM, &r->net, &net, e) < 0 ||
	     rt_netd_start(&r->s->place, r->rung, r->net, &r->net_pid, e) < 0))
		return -1;
	if (g->tpm &&
	    (make_pair(SOCK_STREAM, &tpm_ours, &tpm, e) < 0 ||
	     rt_tpm_start(&r->s->place, r->rung, &r->keyd, tpm_ours,
			  &r->tpm_pid, e) < 0))
		return -1;
	const struct rt_vm vm = {
		.s = r->s, .program = r->qemu, .rung = r->rung,
		.kvm = accel_kvm(r->probe), .net = net, .tpm = tpm,
	};
	return rt_vm_start(&vm, &r->qmp, &r->vm_pid, e);
}

void
rt_super_restart_net(struct rt_super *r)
{
	struct err ignored = ERR_INIT;

	/* The guest's connections are lost, its card is not. */
	if (rt_netd_start(&r->s->place, r->rung, r->net, &r->net_pid,
			  &ignored) < 0)
		r->net_pid = 0;
}

static int
bring_up(struct rt_super *r, struct err *e)
{
	const struct rt_stored *s = r->s;
	bool kvm = accel_kvm(r->probe);
	char how[128];

	if (rt_jail_best(s->place.root, &r->rung, e) < 0)
		return -1;
	(void)snprintf(how, sizeof(how), "%s, jail: %s",
		       kvm ? "kvm" : "tcg", rt_rung_words[r->rung]);
	if (rt_journal_add(&r->journal, RT_EV_STARTING, how, e) < 0 ||
	    begin_trial(r, e) < 0 || start_block(r, e) < 0 ||
	    start_vm(r, e) < 0)
		return -1;
	if (listen_all(r, e) < 0)
		return -1;
	rt_super_judge_begin(r);
	rt_super_usb_begin(r);
	if (rt_journal_add(&r->journal, RT_EV_RUNNING, r->version, e) < 0)
		return -1;
	return rt_qmp_run(&r->qmp, RT_QMP_CONT, QMP_MS, NULL, e);
}

/* Everything that is done once.  What is found missing here leaves no trace in
 * the journal. */
static int
prepare(struct rt_super *r, int passphrase_fd, int report, struct err *e)
{
	SCOPED_FREE char *qemu = NULL;
	SCOPED_FREE char *nbdkit = rt_program("nbdkit", e);
	SCOPED_FREE char *plugin = nbdkit == NULL ? NULL : rt_blockd_plugin(e);

	if (plugin == NULL || rt_vm_program(&qemu, e) < 0 ||
	    rt_journal_open(r->s->place.journal, true, &r->journal, e) < 0 ||
	    rt_keyd_start(r->s->bound.key, passphrase_fd, &r->keyd, e) < 0)
		return -1;
	const int keep[] = { report, r->lock, r->journal.fd, r->keyd.fd, -1 };
	if (detach(keep, e) < 0 || watch_signals(r, e) < 0)
		return -1;
	r->block.nbdkit = TAKE(nbdkit);
	r->block.plugin = TAKE(plugin);
	r->qemu = TAKE(qemu);
	return 0;
}

/* One start of the guest, from STARTING to its end. */
static void
run_once(struct rt_super *r, int *report, struct err *e)
{
	struct err ignored = ERR_INIT;

	r->failure = (struct err)ERR_INIT;
	r->again = r->panicked = r->by_force = r->trial = false;
	r->judged = true;	/* until there is something to judge */
	r->kill_at_ms = 0;
	r->why[0] = '\0';
	r->qmp.on_event = rt_super_on_event;
	r->qmp.arg = r;
	if (bring_up(r, e) < 0) {
		r->failure = *e;
		if (r->trial)
			rt_super_reject(r, e->msg);
		rt_super_kill(r);
	} else if (*report >= 0) {
		(void)!rt_peer_answer(*report, e, NULL, &ignored);
		(void)close(*report);
		*report = -1;
	}
	rt_super_run(r);
}

/* The answer goes out when the guest runs, or when all is cleaned up. */
static void
supervise(const struct rt_stored *s, const struct accel *probe,
	  int passphrase_fd, int report, int lock)
{
	struct rt_super r = {
		.s = s, .probe = probe, .journal = RT_JOURNAL_EMPTY,
		.keyd = RT_KEYD_EMPTY, .qmp = RT_QMP_EMPTY, .signals = -1,
		.control = -1, .display = -1, .lock = lock, .net = -1,
		.usb = { .events = -1 },
		.block = { .listener = -1 },
	};
	struct err e = ERR_INIT, ignored = ERR_INIT;

	for (size_t i = 0; i < RT_CLIENTS; i++)
		r.client[i] = -1;
	if (prepare(&r, passphrase_fd, report, &e) == 0) {
		do {
			e = (struct err)ERR_INIT;
			run_once(&r, &report, &e);
		} while (r.again);
	}
	rt_super_end(&r);
	if (report >= 0)
		(void)!rt_peer_answer(report, &e, NULL, &ignored);
}

int
rt_supervisor_start(const struct rt_stored *s, const struct accel *probe,
		    int passphrase_fd, int lock, struct err *e)
{
	int pair[2];

	if (rt_peer_pair(pair, e) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		supervise(s, probe, passphrase_fd, pair[1], lock);
		_exit(0);
	}
	(void)close(pair[1]);
	int r = pid < 0 ? err_sys(e, "supervisor")
			: rt_peer_ask(pair[0], -1, "supervisor", NULL, e);
	(void)close(pair[0]);
	return r;
}

int
rt_supervisor_recover(const struct rt_place *p, const char *name,
		      struct err *e)
{
	RT_JOURNAL_SCOPED struct rt_journal j = RT_JOURNAL_EMPTY;
	struct err busy = ERR_INIT;
	SCOPED_FD int lock = -1;
	int held = rt_lock_held(p, e);

	if (held != 0)
		return held < 0 ? -1 : 0;
	if (rt_journal_open(p->journal, true, &j, e) < 0)
		return -1;
	if (!rt_state_alive(j.state))
		return 0;
	/* Somebody starts it this moment: then it is theirs to tell. */
	if (rt_lock_take(p, name, &lock, &busy) < 0)
		return 0;
	if (rt_journal_add(&j, RT_EV_FAILED, "its supervisor died", e) < 0)
		return -1;
	return 1;
}
