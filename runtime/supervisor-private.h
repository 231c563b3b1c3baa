/* supervisor-private.h - what the supervisor's files share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef RUNTIME_SUPERVISOR_PRIVATE_H
#define RUNTIME_SUPERVISOR_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/blockd.h"
#include "runtime/jail.h"
#include "runtime/journal.h"
#include "runtime/keyd.h"
#include "runtime/qmp.h"
#include "runtime/supervisor.h"

#define RT_CLIENTS 8
#define RT_USB_PLUGGED_MAX 12

/* A USB device that the guest has, by its node. */
struct rt_plugged {
	unsigned bus, number;
};

struct rt_super {
	const struct rt_stored *s;
	const struct accel *probe;
	enum rt_rung rung;
	struct rt_journal journal;
	struct rt_keyd keyd;
	char *qemu;			/* path of the program */
	struct rt_blockd block;		/* how to start one */
	struct rt_blockd_said said;
	pid_t block_pid, vm_pid, net_pid, tpm_pid;	/* 0: none */
	int net;			/* halcyon-net's end, for another one
					   should it die; -1: none */
	struct rt_qmp qmp;
	int signals, control, display;	/* -1: none */
	struct {
		int events;		/* the kernel tells of devices; -1: not */
		struct rt_plugged at[RT_USB_PLUGGED_MAX];
		size_t count;
		uint64_t look_at_ms;	/* 0: nothing to look for */
		unsigned again;		/* tries since the last event */
		char why[200];		/* the last one that failed */
	} usb;
	int lock;			/* the guest's */
	int client[RT_CLIENTS];		/* -1: free */
	unsigned restarts;		/* of the block server */
	uint64_t restart_from_ms;	/* when the first of the last few was */
	unsigned restart_count;
	bool by_force;			/* `kill` was asked for */
	uint64_t kill_at_ms;		/* SIGKILL for QEMU then; 0: never */
	char version[RT_VERSION_ROOM];	/* LINE:NUMBER that is running */
	bool trial;			/* it must prove itself */
	bool judged;
	bool again;			/* another try, or another version, follows */
	bool panicked;
	unsigned passed, required;	/* RT_HEALTH_... */
	uint64_t health_from_ms, health_until_ms, look_at_ms;
	char why[RT_DETAIL_ROOM];	/* of the next pause or end */
	struct err failure;		/* what ended the guest, if an error did */
};

/* Supervise the guest that runs, until its end; what follows is told by
 * r->again. */
void rt_super_run(struct rt_super *r);

/* Drop the lock and the key holder: nothing follows. */
void rt_super_end(struct rt_super *r);

/* Begin judging the version that has just been started; look again when it is
 * time to; judge what is left to judge, at the end. */
void rt_super_judge_begin(struct rt_super *r);
void rt_super_judge(struct rt_super *r);
void rt_super_judge_end(struct rt_super *r);

/* For poll(): until the next look, or the given time if that is sooner. */
int rt_super_judge_wait(const struct rt_super *r, int wait);

/* A try of the staged version has failed. */
void rt_super_reject(struct rt_super *r, const char *why);

/* Add a record if the event can happen now; what cannot be written must not
 * stop a guest that runs. */
void rt_super_note(struct rt_super *r, enum rt_event ev, const char *detail);

/* End the guest because of r->failure, or as `kill` wants it. */
void rt_super_kill(struct rt_super *r);

/* The guest's network process died: start another. */
void rt_super_restart_net(struct rt_super *r);

/* USB: plug in what the rules allow and listen for what comes; an event; look
 * again when it is time to (for poll(), when that is); after the rules changed; does
 * the guest have this device? */
void rt_super_usb_begin(struct rt_super *r);
void rt_super_usb_event(struct rt_super *r);
int rt_super_usb_wait(const struct rt_super *r, int wait);
void rt_super_usb_look(struct rt_super *r);
void rt_super_usb_sync(struct rt_super *r);
bool rt_super_usb_has(const struct rt_super *r, unsigned bus, unsigned number);

/* A new viewer: its connection goes to QEMU. */
void rt_super_view(struct rt_super *r);

/* A new connection; a request on connection i. */
void rt_super_accept(struct rt_super *r);
void rt_super_serve(struct rt_super *r, size_t i);

/* Listen for events of QEMU's. */
void rt_super_on_event(const struct rt_qmp_msg *m, void *arg);

#endif /* RUNTIME_SUPERVISOR_PRIVATE_H */
