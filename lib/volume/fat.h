/* fat.h - FAT12, FAT16 and FAT32, read inside the worker
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For EFI system partitions and the system volumes of old installations.  Facts:
 * Microsoft, "FAT: General Overview of On-Disk Format" 1.03.  Times are kept by
 * FAT in the PC's local time; they are given as if that were UTC.  A file's id
 * is where its entry lies on the volume.
 */
#ifndef VOLUME_FAT_H
#define VOLUME_FAT_H

#include <stdint.h>

#include "base/attr.h"
#include "volume/volume-private.h"

struct err;
struct vo_fat;
struct vo_worker;

MUST_CHECK struct vo_fat *vo_fat_new(struct vo_worker *w, uint64_t size,
				     struct err *e);

/* struct vo_engine's serve, at home. */
MUST_CHECK int vo_fat_serve(struct vo_fat *f, const struct vo_request *q,
			    struct buf *answer, struct err *e);

#endif /* VOLUME_FAT_H */
