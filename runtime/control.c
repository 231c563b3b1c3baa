/* control.c - the supervisor's answers to imgrun's other commands
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/supervisor-private.h"

#include <inttypes.h>
#include <sys/socket.h>

#include "base/json.h"
#include "runtime/peer.h"

#define QMP_MS 5000
#define ASK_MS 45000	/* a block server may be starting meanwhile */

static struct js *
status(const struct rt_super *r, struct err *e)
{
	struct js *j = js_new("imgrun supervisor", 1, e);

	js_str(j, "version", r->said.version);
	js_u64(j, "disk-bytes", r->said.size);
	js_str(j, "accelerator", accel_kvm(r->probe) ? "kvm" : "tcg");
	js_str(j, "verdict", accel_words[r->probe->verdict]);
	js_bool(j, "isolation", accel_kvm(r->probe));
	js_str(j, "jail", rt_rung_words[r->rung]);
	js_bool(j, "key-protected", r->keyd.is_protected);
	js_u64(j, "block-restarts", r->restarts);
	struct js *usb = js_list(j, "usb");
	for (size_t i = 0; i < r->usb.count; i++) {
		struct js *one = js_item(usb);

		js_u64(one, "bus", r->usb.at[i].bus);
		js_u64(one, "number", r->usb.at[i].number);
	}
	js_str(j, "usb-failure", r->usb.why[0] == '\0' ? NULL : r->usb.why);
	struct js *pids = js_object(j, "processes");
	js_u64(pids, "supervisor", (uint64_t)getpid());
	js_u64(pids, "keys", (uint64_t)r->keyd.pid);
	js_u64(pids, "block", (uint64_t)r->block_pid);
	js_u64(pids, "qemu", (uint64_t)r->vm_pid);
	if (r->s->guest.net == RT_NET_NAT)
		js_u64(pids, "network", (uint64_t)r->net_pid);
	if (r->s->guest.tpm)
		js_u64(pids, "tpm", (uint64_t)r->tpm_pid);
	return j;
}

static int
press_button(struct rt_super *r, struct err *e)
{
	if (r->journal.state == RT_ST_PAUSED)
		return err_set(e, ERR_UNSAFE, "%s: is paused, and cannot shut "
			       "down; imgrun resume %s first, or imgrun stop "
			       "--force %s", r->s->guest.name,
			       r->s->guest.name, r->s->guest.name);
	rt_super_note(r, RT_EV_STOPPING, "asked to shut down");
	return rt_qmp_run(&r->qmp, RT_QMP_POWERDOWN, QMP_MS, NULL, e);
}

static int
request(struct rt_super *r, const char *word, struct err *e)
{
	if (strcmp(word, "status") == 0)
		return 0;
	if (strncmp(word, "stage ", 6) == 0)
		return rt_supervisor_stage(r->s, &r->journal, &r->keyd, word + 6,
					   false, e);
	if (strncmp(word, "stage! ", 7) == 0)
		return rt_supervisor_stage(r->s, &r->journal, &r->keyd, word + 7,
					   true, e);
	if (r->vm_pid == 0)
		return err_set(e, ERR_UNSAFE, "%s: is not up yet",
			       r->s->guest.name);
	if (strcmp(word, "usb") == 0) {
		rt_super_usb_sync(r);
		return 0;
	}
	if (strcmp(word, "stop") == 0)
		return press_button(r, e);
	if (strcmp(word, "pause") == 0) {
		(void)snprintf(r->why, sizeof(r->why), "as asked");
		return rt_qmp_run(&r->qmp, RT_QMP_STOP, QMP_MS, NULL, e);
	}
	if (strcmp(word, "resume") == 0)
		return rt_qmp_run(&r->qmp, RT_QMP_CONT, QMP_MS, NULL, e);
	if (strcmp(word, "kill") == 0) {
		r->by_force = true;
		rt_super_kill(r);
		return 0;
	}
	return err_set(e, ERR_USAGE, "supervisor: no such request");
}

static void
hang_up(struct rt_super *r, size_t i)
{
	(void)close(r->client[i]);
	r->client[i] = -1;
}

void
rt_super_serve(struct rt_super *r, size_t i)
{
	struct err e = ERR_INIT, result = ERR_INIT;
	char word[512];
	size_t len;

	if (rt_peer_recv(r->client[i], 0, word, sizeof(word) - 1, &len, NULL,
			 &e) <= 0) {
		hang_up(r, i);
		return;
	}
	word[len] = '\0';
	(void)!request(r, word, &result);
	JS_SCOPED struct js *doc = status(r, &e);
	if (rt_peer_answer(r->client[i], &result, doc, &e) < 0)
		hang_up(r, i);
}

void
rt_super_accept(struct rt_super *r)
{
	int fd = accept4(r->control, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < RT_CLIENTS; i++)
		if (r->client[i] < 0) {
			r->client[i] = fd;
			return;
		}
	if (fd >= 0)
		(void)close(fd);	/* the other side reads that as an end */
}

void
rt_super_view(struct rt_super *r)
{
	SCOPED_FD int fd = accept4(r->display, NULL, NULL, SOCK_CLOEXEC);
	struct err ignored = ERR_INIT;

	/* A viewer that QEMU does not take sees its connection closed. */
	if (fd >= 0 && r->qmp.fd >= 0)
		(void)!rt_qmp_add_viewer(&r->qmp, fd, r->s->guest.display ==
					 RT_DISPLAY_SPICE ? "spice" : "vnc",
					 QMP_MS, &ignored);
}

int
rt_supervisor_ask(const struct rt_place *p, const char *name,
		  const char *word, struct js **ret_doc, int *ret_fd,
		  struct err *e)
{
	SCOPED_FD int fd = -1;

	if (rt_peer_connect(p->run, "control.sock", SOCK_SEQPACKET, &fd, e) < 0)
		return err_ctx(e, "%s: cannot reach its supervisor", name);
	if (rt_peer_send(fd, word, strlen(word), -1, e) < 0 ||
	    rt_peer_ask(fd, ASK_MS, "supervisor", ret_doc, e) < 0)
		return err_ctx(e, "%s", name);
	if (ret_fd != NULL) {
		*ret_fd = fd;
		fd = -1;
	}
	return 0;
}
