/* sam.h - local accounts that do not exist yet, put into a machine's SAM
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An account is made the way Windows keeps one that has no password and must
 * get one at its first logon: its key with F and V, its name, the counters, and
 * its membership in the group "None" and the alias "Users".  Layouts as in real
 * hives of XP, 7 and 8.1 and in libyal's winreg-kb, "Security Account Manager";
 * what an account without a password looks like is taken from one that the
 * machine has.  Specified, not boot-tested.
 *
 * Everything is done on a copy in memory; the caller carries the changes.
 */
#ifndef WINDOWS_SAM_H
#define WINDOWS_SAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "windows/windows.h"

struct err;
struct wn_sam;

enum { WN_SAM_NAME_MAX = 20 };	/* characters of a local account's name */

#define WN_SAM_SCOPED SCOPED(wn_sam_free)

/*
 * The SAM of an installation.  Refused where an account made offline cannot be
 * right: a domain controller (its accounts are in the directory), a generalised
 * installation (its SID changes), a SAM without the parts named above
 * (ERR_UNSAFE, ERR_UNSUPPORTED).
 */
MUST_CHECK struct wn_sam *wn_sam_open(struct wn_install *in, struct err *e);
void wn_sam_free(struct wn_sam *const *s);

/* One account more.  A name that Windows would not take is ERR_USAGE, one that
 * a user, group or alias has already ERR_UNSAFE. */
MUST_CHECK int wn_sam_add(struct wn_sam *s, const char *name,
			  uint32_t *ret_rid, struct err *e);

/* Every value that is not as it was; key paths are below the hive's root. */
typedef int (*wn_sam_fn)(void *arg, const char *key, const char *name,
			 struct hv_data data, struct err *e);
MUST_CHECK int wn_sam_changes(const struct wn_sam *s, wn_sam_fn fn, void *arg,
			      struct err *e);

#endif /* WINDOWS_SAM_H */
