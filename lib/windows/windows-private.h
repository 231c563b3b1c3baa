/* windows-private.h - what the parts of this room share
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#ifndef WINDOWS_WINDOWS_PRIVATE_H
#define WINDOWS_WINDOWS_PRIVATE_H

#include "base/err.h"
#include "windows/windows.h"

struct buf;

/* Read the partition table and open what there is (volumes.c); `a` may be
 * NULL. */
MUST_CHECK int wn_open_volumes(struct wn_guest *g, unsigned flags,
			       struct vo_appliance *a, struct err *e);

/* Fill in one installation whose guest, volume, root and hive_path are set. */
MUST_CHECK int wn_read_install(struct wn_install *in, struct err *e);
MUST_CHECK int wn_read_letters(struct wn_install *in, struct err *e);
MUST_CHECK int wn_read_accounts(struct wn_install *in, struct err *e);
MUST_CHECK int wn_read_users(struct wn_install *in, struct err *e);
/* boot.ini and BCD of the guest: sets .boots and .boot_title. */
MUST_CHECK int wn_read_boot(struct wn_guest *g, struct err *e);

/* Add a line to the notes; what cannot even be noted is an error. */
PRINTF(3, 4) MUST_CHECK int wn_note(struct wn_install *in, struct err *e,
				    const char *fmt, ...);

/*
 * For values that may be missing or broken: memory running out is -1, anything
 * else becomes a note and 0, so that one broken value hides nothing else.
 */
MUST_CHECK int wn_pardon(struct wn_install *in, int r, struct err *why,
			 struct err *e);

/* A string value of a key that may be NULL; absent or broken is NULL. */
MUST_CHECK int wn_str(struct wn_install *in, const struct hv_key *k,
		      const char *name, char **ret, struct err *e);
MUST_CHECK int wn_dword(struct wn_install *in, const struct hv_key *k,
			const char *name, uint32_t *ret, struct err *e);

#endif /* WINDOWS_WINDOWS_PRIVATE_H */
