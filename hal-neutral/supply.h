/* supply.h - driver files that the image lacks, from what lies on it
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * XP and 2003 keep what they did not install: ServicePackFiles\i386 (the files
 * of the newest service pack), and Driver Cache\i386 with sp3.cab, sp2.cab,
 * sp1.cab and driver.cab.  The newest service pack comes first, so that a
 * driver fits the kernel.  Later Windows installs every driver of its own.
 */
#ifndef HAL_NEUTRAL_SUPPLY_H
#define HAL_NEUTRAL_SUPPLY_H

#include "base/attr.h"
#include "base/scope.h"
#include "hal-neutral/image.h"

struct buf;

/* Content from outside the image's file system: for cs_target_fetch(). */
struct hn_fetch {
	uint64_t serial;	/* volume that holds the cabinets */
	char *path;		/* cabinet read last; owned */
	uint8_t *at;		/* its bytes; owned */
	size_t len;
};

#define HN_FETCH_EMPTY { .path = NULL }
#define HN_FETCH_SCOPED SCOPED(hn_fetch_done)

void hn_fetch_done(struct hn_fetch *f);

/* The cs_fetch_fn; `arg` is a struct hn_fetch. */
MUST_CHECK int hn_fetch(void *arg, struct cs_target *t,
			const struct cs_side *from, cs_sink_fn sink,
			void *sink_arg, struct err *e);

struct hn_supply {
	enum cs_origin origin;	/* CS_IMAGE or CS_CABINET */
	char *path, *member;	/* owned */
};

#define HN_SUPPLY_EMPTY { .path = NULL }
#define HN_SUPPLY_SCOPED SCOPED(hn_supply_done)

void hn_supply_done(struct hn_supply *s);

/* Where the file of this name can be had from, for this machine: 1; 0; -1.  With
 * `like`, only a file of the same Windows and service pack. */
MUST_CHECK int hn_supply_find(const struct hn_image *im, struct hn_fetch *f,
			      const char *file,
			      const struct hn_pe_version *like,
			      struct hn_supply *ret, struct err *e);

/* The service pack that a file of XP or 2003 belongs to, by its version. */
unsigned hn_service_pack(const struct hn_pe_version *v);

#endif /* HAL_NEUTRAL_SUPPLY_H */
