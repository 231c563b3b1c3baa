/* appliance-private.h - what the appliance's two processes share
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * This process owns the disks and serves them; a worker owns the libguestfs
 * handle, whose child QEMU is.  They talk in frames over a stream socket: one
 * request, one answer.  The worker starts by launching and answers that.  What
 * it says is checked like any foreign input.
 */
#ifndef VOLUME_APPLIANCE_PRIVATE_H
#define VOLUME_APPLIANCE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "volume/appliance.h"
#include "volume/volume-private.h"

enum vo_frame_what {
	VO_FRAME_ANSWER = 1,
	VO_FRAME_FILE,		/* device: a mounted one; any VO_OP_... */
	/* the others use the fields of a vo_request as they say */
	VO_FRAME_PART,		/* device: the disk's number; at, size ->
				 * size; the status is the device's number */
	VO_FRAME_UNLOCK,	/* device; data: the key -> as PART */
	VO_FRAME_MADE,		/* device: the disk's number -> devices */
	VO_FRAME_NAMED,		/* path: a device that MADE named -> as PART */
	VO_FRAME_READ,		/* device; at, size -> bytes */
	VO_FRAME_WRITE,		/* device; at, data */
	VO_FRAME_MOUNT,		/* device; at: enum vo_kind; size: VO_WRITE
				 * -> label, clusters */
};

struct vo_frame {
	uint32_t what;
	int32_t status;
	uint32_t device;
	uint32_t kind, os;	/* of an error, whose text is the body */
	uint32_t spare;
	uint64_t len;		/* of the body, which follows */
};

enum {
	VO_FRAME_MAX = VO_ANSWER_MAX,
	VO_APPLIANCE_DEVICES = 1024,
};

/* A disk as the worker hands it to QEMU. */
struct vo_drive {
	char socket[108];
	bool writable;
	uint32_t sector;
};

/* ---- the owner's side (appliance.c) --------------------------------------- */

/* Have a frame answered: the status, or -1.  The disks are served meanwhile. */
MUST_CHECK int vo_appliance_call(struct vo_appliance *a,
				 enum vo_frame_what what, uint32_t device,
				 const struct vo_request *q,
				 struct buf *answer, struct err *e);

/* The number of one of its disks. */
MUST_CHECK int vo_appliance_disk(const struct vo_appliance *a,
				 const struct dk *d, uint32_t *ret,
				 struct err *e);
MUST_CHECK int vo_appliance_allow(struct vo_appliance *a, uint32_t disk,
				  uint64_t at, uint64_t size, struct err *e);

/* The key of --volume-key, or NULL. */
const char *vo_chosen_key(void);

/* ---- the worker's side (appliance_run.c) ---------------------------------- */

/* Launch, then serve until the owner hangs up.  Never returns. */
_Noreturn void vo_appliance_run(int sock, const struct vo_drive *drives,
				size_t count, const char *folder, bool kvm);

#endif /* VOLUME_APPLIANCE_PRIVATE_H */
