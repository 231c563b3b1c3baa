/* settings-private.h - a value on its way, for the transforms
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef PROFMIG_SETTINGS_PRIVATE_H
#define PROFMIG_SETTINGS_PRIVATE_H

#include "base/buf.h"
#include "profmig/settings.h"

struct pm_value {
	const struct pm_settings_from *from;
	const struct pm_registry *entry;
	struct hv_data in;		/* the old value */
	const struct hv_key *base;	/* the key over there, or NULL */
	struct pm_settings *all;	/* for values that are derived */
	struct pm_setting *out;		/* to be filled in; type and data are
					 * those of the old value */
};

/* Do what the entry says.  The value may end as dropped. */
MUST_CHECK int pm_transform(struct pm_value *v, struct err *e);

/* It does not come along, for this reason. */
MUST_CHECK int pm_value_drop(struct pm_value *v, const char *why,
			     struct err *e);
/* These bytes instead. */
MUST_CHECK int pm_value_set(struct pm_value *v, const void *at, size_t len,
			    struct err *e);

/* Binary data with paths in it, and MAPI's. */
MUST_CHECK int pm_value_blob(struct pm_value *v, struct err *e);
MUST_CHECK int pm_value_mapi(struct pm_value *v, struct err *e);

/* SIDs of the old side, in strings and in binary data, become those of the new
 * one. */
MUST_CHECK int pm_value_sids(struct pm_value *v, struct err *e);

/* Strings with old paths made new; `must_exist`: only if what it names will be
 * there. */
MUST_CHECK int pm_value_rewrite(struct pm_value *v, bool must_exist,
				struct err *e);

#endif /* PROFMIG_SETTINGS_PRIVATE_H */
