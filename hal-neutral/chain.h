/* chain.h - the proof: does this image boot on that platform?
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A verdict is a chain of links from the firmware to the drivers of the system
 * disk.  It is YES only if every link holds; each link says what it looked at,
 * and a missing one says what is wrong.  What only a booting Windows could
 * show is not claimed (hal-neutral(1), CAVEATS).
 */
#ifndef HAL_NEUTRAL_CHAIN_H
#define HAL_NEUTRAL_CHAIN_H

#include "base/attr.h"
#include "hal-neutral/image.h"
#include "hal-neutral/platform.h"

struct hn_link {
	const char *kind;	/* "firmware", "kernel", "binding", "service",
				 * "file", "filter", "boot driver", ... */
	char *what;		/* what was looked at; owned */
	char *why;		/* NULL: it holds; else what is wrong; owned */
};

struct hn_verdict {
	bool yes;
	size_t links, cap;
	struct hn_link *at;	/* owned */
};

#define HN_VERDICT_EMPTY { .at = NULL }
#define HN_VERDICT_SCOPED SCOPED(hn_verdict_done)

void hn_verdict_done(struct hn_verdict *v);

MUST_CHECK int hn_prove(struct hn_image *im, const struct hn_platform *p,
			struct hn_verdict *ret, struct err *e);

/* The first link that is missing; NULL when none is. */
const struct hn_link *hn_first_missing(const struct hn_verdict *v);

/* What a device needs beside its own driver: the ids of the channels below an
 * IDE controller, or of those below msahci (Vista and 7); NULL for none.  Ends
 * with NULL. */
const char *const *hn_channel_ids(const struct hn_image *im,
				  const struct hn_device *d,
				  const char *service);

/* Ids of any disk. */
extern const char *const hn_disk_ids[];		/* ends with NULL */

/* Services that every boot needs, by generation. */
struct hn_core {
	const char *service;
	enum wn_generation first, last;
};
extern const struct hn_core hn_core[];		/* ends with NULL */

/* Device classes whose filters matter: those that stand between Windows and its
 * disk, and those without which nobody can use it. */
struct hn_class {
	const char *guid, *name;
	bool boots;		/* the former */
};
extern const struct hn_class hn_classes[];	/* ends with NULL */

/* Is a filter's service one that can be loaded?  *ret_why (owned by the caller)
 * says why not, NULL when it can. */
MUST_CHECK int hn_filter_fault(struct hn_image *im, const struct hn_set *set,
			       const char *service, char **ret_why,
			       struct err *e);

#endif /* HAL_NEUTRAL_CHAIN_H */
