/* binding.h - which driver Windows gives a device while it boots
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Before plug and play is up, XP to 7 look a device's ids up in
 * Control\CriticalDeviceDatabase, where a key's name is the id with '#' for
 * '\'; the first id that has a key decides.  8 and later look in
 * DriverDatabase: DeviceIds names an INF, DriverInfFiles its active package,
 * the package's Descriptors a configuration, and that its service.
 */
#ifndef HAL_NEUTRAL_BINDING_H
#define HAL_NEUTRAL_BINDING_H

#include "base/attr.h"
#include "hal-neutral/image.h"
#include "hal-neutral/platform.h"

struct hn_binding {
	char *id;		/* the one that matched; owned */
	char *where;		/* what binds it: "CriticalDeviceDatabase\..." */
	char *service;		/* "" when the entry names none */
};

#define HN_BINDING_EMPTY { .id = NULL }
#define HN_BINDING_SCOPED SCOPED(hn_binding_done)

void hn_binding_done(struct hn_binding *b);

/* Does this Windows bind by DriverDatabase? */
bool hn_has_database(const struct hn_image *im);

/* 1 and *ret, 0 when nothing serves any of the ids, -1. */
MUST_CHECK int hn_bind(const struct hn_image *im, const struct hn_set *set,
		       const char *const *ids, size_t count,
		       struct hn_binding *ret, struct err *e);

/* The name of an id's key in CriticalDeviceDatabase, which the caller frees. */
MUST_CHECK char *hn_critical_name(const char *id, struct err *e);

#endif /* HAL_NEUTRAL_BINDING_H */
