/* layer.h - a guest's layers on disk: one a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * That is the system disk's; the user's disk has one, which stays.  A layer
 * fits the version it was made over, so each version
 * has its own; that of the version before stays until a rollback can no longer want it.
 */
#ifndef RUNTIME_LAYER_H
#define RUNTIME_LAYER_H

#include <stdbool.h>

#include "base/attr.h"
#include "runtime/slots.h"
#include "runtime/state.h"

struct err;

/* The layer of the user's disk: nothing here removes it. */
#define RT_LAYER_USER "user"

/* The name of a version's layer below place->layers. */
void rt_layer_name(const char *version, char out[RT_VERSION_ROOM]);

/* Remove layers that no start can want: those of other versions, and, unless
 * the guest keeps what it writes, all. */
MUST_CHECK int rt_layer_tidy(const struct rt_place *p, const struct rt_slots *s,
			     bool keep, struct err *e);

/*
 * Is what the guest wrote still there?  A layer that its journal says it once had,
 * and that is gone without redeploy, is ERR_UNSAFE: beginning anew without a word
 * would hide that something is lost.
 */
MUST_CHECK int rt_layer_check(const struct rt_stored *s, const char *version,
			      struct err *e);

/* Remove a version's layer; none is fine. */
MUST_CHECK int rt_layer_drop(const struct rt_place *p, const char *version,
			     struct err *e);

#endif /* RUNTIME_LAYER_H */
