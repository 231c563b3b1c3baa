/* appliance.h - the libguestfs appliance: the engine for what is not plain NTFS
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small Linux in QEMU, started once per command, sees the disks and nothing
 * else of the machine.  It assembles what lies between a disk and its volumes
 * (LVM, dynamic disks, BitLocker) and mounts what no worker reads.  A
 * volume that it opens is used through volume.h like any other; NTFS and FAT on
 * a device that it made are still read by our own worker, unless the user asked
 * for the appliance.
 *
 * It reads and writes over NBD through the disk of this process, so its writes
 * are in the same overlay as any other, and dk_commit() makes them permanent.
 * Only the partitions of volumes opened with VO_WRITE can be written.
 *
 * The appliance is slow to start (2 s with KVM, 20 s and more without) and slow
 * to ask; so the choice is made here, once, for the whole command.
 */
#ifndef VOLUME_APPLIANCE_H
#define VOLUME_APPLIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "volume/volume.h"

struct dk;
struct err;
struct vo_appliance;

enum { VO_APPLIANCE_DISKS = 64 };	/* of one launch */

enum vo_choice {
	VO_AUTO,		/* whatever a volume needs */
	VO_NATIVE_ONLY,
	VO_APPLIANCE_ONLY,
};

/* For the command line: the choice, and the password or recovery password of
 * BitLocker volumes, which must outlive them all; NULL: none. */
void vo_choose(enum vo_choice choice, const char *key);
enum vo_choice vo_chosen(void);

/* Does a volume of this kind need the appliance, as the user chose? */
bool vo_wants_appliance(enum vo_kind kind);

/* ---- the appliance -------------------------------------------------------- */

#define VO_APPLIANCE_SCOPED SCOPED(vo_appliance_free)

/*
 * Start it with these disks, at most VO_APPLIANCE_DISKS; they and it must
 * outlive its volumes.  With KVM where a timed probe says that KVM is good, and
 * again without it if it does not come up in time.  ERR_UNSUPPORTED when
 * libguestfs is not installed or cannot start here.
 */
MUST_CHECK struct vo_appliance *vo_appliance_new(struct dk *const *disks,
						 size_t count, struct err *e);
void vo_appliance_free(struct vo_appliance *const *a);

/* As vo_open(), for a partition of one of its disks; BitLocker is unlocked with
 * the key that was chosen (ERR_AUTH when it does not fit). */
MUST_CHECK struct vo *vo_open_in(struct vo_appliance *a, struct dk *d,
				 uint64_t at, uint64_t size, unsigned flags,
				 struct err *e);

/* Volumes that are no partition: LVM's logical volumes, and those of dynamic
 * disks. */
struct vo_made {
	char *name;		/* "VG/LV", "Disk group/Volume1" */
	char *device;		/* what the appliance calls it */
	uint64_t size;
};

struct vo_mades {
	size_t count;
	struct vo_made *at;	/* owned */
};

#define VO_MADES_EMPTY { .at = NULL }
#define VO_MADES_SCOPED SCOPED(vo_mades_done)

MUST_CHECK int vo_made_volumes(struct vo_appliance *a, struct dk *d,
			       struct vo_mades *ret, struct err *e);
void vo_mades_done(struct vo_mades *m);

/* Open one of them.  With VO_WRITE all of [at[i], at[i] + size[i]) of the disk
 * can be written: what the volume may lie on. */
struct vo_span {
	uint64_t at, size;
};
MUST_CHECK struct vo *vo_open_made(struct vo_appliance *a, struct dk *d,
				   const struct vo_made *m,
				   const struct vo_span *spans, size_t count,
				   unsigned flags, struct err *e);

#endif /* VOLUME_APPLIANCE_H */
