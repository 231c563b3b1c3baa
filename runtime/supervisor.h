/* supervisor.h - the process that runs one guest
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * It starts the key holder, the block server and QEMU, restarts the block server
 * when it dies, talks to QEMU's monitor, answers imgrun's other commands on a
 * socket of the owner's, and journals what happens.  It parses no image and
 * holds no key.  When it dies, everything it started dies with it.
 */
#ifndef RUNTIME_SUPERVISOR_H
#define RUNTIME_SUPERVISOR_H

#include "base/accel.h"
#include "base/attr.h"
#include "runtime/state.h"

struct err;
struct js;
struct rt_journal;
struct rt_keyd;

/*
 * Start the guest.  The caller holds its lock, whose descriptor the supervisor
 * inherits; s->guest.key is asked for a passphrase if it needs one.  Returns
 * when the guest runs, or the error that kept it from it.
 */
MUST_CHECK int rt_supervisor_start(const struct rt_stored *s,
				   const struct accel *probe,
				   int passphrase_fd, int lock, struct err *e);

/*
 * Bring the journal up to date when nobody runs the guest but it says that
 * somebody does: the machine or the supervisor died.  1 when it did that; 0
 * when there was nothing to do or the guest runs.
 */
MUST_CHECK int rt_supervisor_recover(const struct rt_place *p, const char *name,
				     struct err *e);

/*
 * Stage a version for the next start: check that it opens with the key (the key
 * holder's), and put it on record.  `force`: also one that was rejected.  The
 * caller holds the guest's lock.
 */
MUST_CHECK int rt_supervisor_stage(const struct rt_stored *s,
				   struct rt_journal *j,
				   const struct rt_keyd *k, const char *image,
				   bool force, struct err *e);

/* Ask a running supervisor: "status", "stop", "kill", "pause", "resume",
 * "usb" (its rules changed), "stage IMAGE", "stage! IMAGE".  With ret_fd, the connection, which ends when the supervisor does. */
MUST_CHECK int rt_supervisor_ask(const struct rt_place *p, const char *name,
				 const char *request, struct js **ret_doc,
				 int *ret_fd, struct err *e);

#endif /* RUNTIME_SUPERVISOR_H */
