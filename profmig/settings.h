/* settings.h - the registry part of a profile: what becomes of each value
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_SETTINGS_H
#define PROFMIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "hive/hive.h"
#include "profmig/move.h"

struct err;

/* One value of the old hive. */
struct pm_setting {
	char *key, *name;	/* there */
	enum pm_outcome outcome;
	char *to_key, *to_name;	/* here; NULL when dropped */
	uint32_t type;
	uint8_t *data;		/* owned; len bytes */
	size_t len;
	bool derived;		/* made from another value */
	const char *rule;	/* its name, or NULL: no rule names the value */
	char *why;		/* of what is changed or dropped, or NULL */
};

struct pm_settings {
	size_t count, cap;
	struct pm_setting *at;	/* owned; in the order of the old hive */
};

#define PM_SETTINGS_EMPTY { .at = NULL }
#define PM_SETTINGS_SCOPED SCOPED(pm_settings_done)
void pm_settings_done(struct pm_settings *s);

/* Will this Windows path be there after the move?  1, 0, -1. */
typedef int (*pm_exists_fn)(void *arg, const char *path, struct err *e);

struct pm_settings_from {
	const struct pm_move *move;
	struct hv_hive *from;	/* the old NTUSER.DAT */
	struct hv_hive *classes;	/* the old UsrClass.dat, or NULL; it is
				 * HKCU\Software\Classes */
	struct hv_hive *base;	/* the hive over there, as it is now */
	pm_exists_fn exists;
	void *arg;
	const char *wallpaper;	/* where the picture goes, or NULL */
};

MUST_CHECK int pm_settings_make(const struct pm_settings_from *f,
				struct pm_settings *ret, struct err *e);

/* Does binary data name the old profile's folder?  Never true where the new one
 * has the same. */
bool pm_names_old(const struct pm_move *m, const uint8_t *at, size_t len);

/* Put those that arrive into a hive. */
MUST_CHECK int pm_settings_apply(const struct pm_settings *s,
				 struct hv_hive *h, struct err *e);

#endif /* PROFMIG_SETTINGS_H */
