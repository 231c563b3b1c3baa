/* qmp.h - QEMU's monitor, as much of it as a supervisor needs
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The socket is one end of a pair that QEMU inherited.  QEMU runs foreign code,
 * so what it sends is untrusted: lines are bounded, a line that is not a JSON
 * object of one of the known shapes ends the connection.  The commands are a
 * closed list; there is no way here to name another.
 *
 * QMP: docs/interop/qmp-spec.txt of QEMU.
 */
#ifndef RUNTIME_QMP_H
#define RUNTIME_QMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/scope.h"

struct err;
struct js;

#define RT_QMP_LINE_MAX (256 * 1024)	/* query-block of many nodes is 20 KiB */

enum rt_qmp_cmd {
	RT_QMP_CAPABILITIES,
	RT_QMP_STATUS,		/* query-status */
	RT_QMP_BLOCKSTATS,	/* query-blockstats */
	RT_QMP_CONT,
	RT_QMP_STOP,
	RT_QMP_POWERDOWN,	/* press the power button */
	RT_QMP_RESET,
	RT_QMP_QUIT,
};

enum rt_qmp_kind { RT_QMP_GREETING, RT_QMP_RETURN, RT_QMP_ERROR, RT_QMP_EVENT };

/* One message.  `name` is the event's name or the error's text, else NULL; it
 * and `doc` live until rt_qmp_msg_done(). */
struct rt_qmp_msg {
	enum rt_qmp_kind kind;
	const char *name;
	struct js *doc;
};

#define RT_QMP_MSG_EMPTY { .doc = NULL }
#define RT_QMP_MSG_SCOPED SCOPED(rt_qmp_msg_done)

void rt_qmp_msg_done(struct rt_qmp_msg *m);

/* One line, without its newline. */
MUST_CHECK int rt_qmp_parse(const void *line, size_t len,
			    struct rt_qmp_msg *ret, struct err *e);

struct rt_qmp {
	int fd;			/* -1 when closed; owned */
	struct buf in;		/* received, not yet a whole line */
	/* Called for each event, also while a command waits; may be NULL. */
	void (*on_event)(const struct rt_qmp_msg *m, void *arg);
	void *arg;
};

#define RT_QMP_EMPTY { .fd = -1 }
#define RT_QMP_SCOPED SCOPED(rt_qmp_done)

void rt_qmp_done(struct rt_qmp *q);

/* Wait for the greeting and leave negotiation. */
MUST_CHECK int rt_qmp_begin(struct rt_qmp *q, unsigned timeout_ms,
			    struct err *e);

/* Send a command and wait for its answer; events meanwhile are delivered.
 * With ret, the answer's document, which the caller releases. */
MUST_CHECK int rt_qmp_run(struct rt_qmp *q, enum rt_qmp_cmd cmd,
			  unsigned timeout_ms, struct rt_qmp_msg *ret,
			  struct err *e);

/* Give a viewer's connection to QEMU's server of `protocol`, "vnc" or "spice".
 * `fd` stays the caller's. */
MUST_CHECK int rt_qmp_add_viewer(struct rt_qmp *q, int fd, const char *protocol,
				 unsigned timeout_ms, struct err *e);

/* Give the guest a USB device of the host's, whose node is open as `fd`, which stays
 * the caller's; and take it away again.  `bus` is QEMU's name of the guest's. */
MUST_CHECK int rt_qmp_plug(struct rt_qmp *q, unsigned host_bus, unsigned number,
			   const char *bus, int fd, unsigned timeout_ms,
			   struct err *e);
MUST_CHECK int rt_qmp_unplug(struct rt_qmp *q, unsigned host_bus,
			     unsigned number, unsigned timeout_ms,
			     struct err *e);

/* Deliver the events that are there; never waits.  -1 when QEMU closed the
 * socket (ERR_SYSTEM) or sent garbage (ERR_CORRUPT). */
MUST_CHECK int rt_qmp_pump(struct rt_qmp *q, struct err *e);

#endif /* RUNTIME_QMP_H */
