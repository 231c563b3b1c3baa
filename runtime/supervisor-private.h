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

struct rt_super {
	const struct rt_stored *s;
	const struct rt_probe *probe;
	enum rt_rung rung;
	struct rt_journal journal;
	struct rt_keyd keyd;
	struct rt_blockd block;		/* how to start one */
	struct rt_blockd_said said;
	pid_t block_pid, vm_pid;	/* 0: none */
	struct rt_qmp qmp;
	int signals, control;		/* -1: none */
	int lock;			/* the guest's */
	int client[RT_CLIENTS];		/* -1: free */
	unsigned restarts;		/* of the block server */
	uint64_t restart_from_ms;	/* when the first of the last few was */
	unsigned restart_count;
	bool by_force;			/* `kill` was asked for */
	uint64_t kill_at_ms;		/* SIGKILL for QEMU then; 0: never */
	char why[RT_DETAIL_ROOM];	/* of the next pause or end */
	struct err failure;		/* what ended the guest, if an error did */
};

/* Supervise the guest that runs, until its end. */
void rt_super_run(struct rt_super *r);

/* Add a record if the event can happen now; what cannot be written must not
 * stop a guest that runs. */
void rt_super_note(struct rt_super *r, enum rt_event ev, const char *detail);

/* End the guest because of r->failure, or as `kill` wants it. */
void rt_super_kill(struct rt_super *r);

/* A new connection; a request on connection i. */
void rt_super_accept(struct rt_super *r);
void rt_super_serve(struct rt_super *r, size_t i);

/* Listen for events of QEMU's. */
void rt_super_on_event(const struct rt_qmp_msg *m, void *arg);

#endif /* RUNTIME_SUPERVISOR_PRIVATE_H */
