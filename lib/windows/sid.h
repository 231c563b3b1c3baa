/* sid.h - security identifiers, binary and as text
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: [MS-DTYP] 2.4.2 (revision 1, at most 15 sub-authorities, the
 * authority big-endian, the sub-authorities little-endian).
 */
#ifndef WINDOWS_SID_H
#define WINDOWS_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct cur;
struct err;

enum {
	WN_SID_PARTS = 15,
	WN_SID_BYTES = 8 + 4 * WN_SID_PARTS,
	WN_SID_TEXT = 192,	/* "S-1-0x..." and 15 numbers, with a NUL */
};

/* A value; len 0 is no SID at all. */
struct wn_sid {
	uint8_t len;			/* 8 + 4 * parts */
	uint8_t at[WN_SID_BYTES];	/* as on disk; zero behind len */
};

/* The SID at the cursor, which steps behind it. */
void wn_sid_read(struct cur *c, struct wn_sid *ret);

/* A SID that is the whole of `len` bytes. */
MUST_CHECK int wn_sid_parse(const void *at, size_t len, struct wn_sid *ret,
			    struct err *e);

/* "S-1-5-21-1-2-3-1001"; anything else is ERR_USAGE. */
MUST_CHECK int wn_sid_from_text(const char *text, struct wn_sid *ret,
				struct err *e);

/* The text in buf; "" for no SID.  Returns buf. */
const char *wn_sid_text(const struct wn_sid *sid, char buf[WN_SID_TEXT]);

bool wn_sid_same(const struct wn_sid *a, const struct wn_sid *b);

/* S-1-5-21-...: an account of a machine or a domain. */
bool wn_sid_is_account(const struct wn_sid *sid);

/* The last number of a SID; 0 where it has none. */
uint32_t wn_sid_rid(const struct wn_sid *sid);

/* Do both lie in one domain: the same numbers but for the last? */
bool wn_sid_same_domain(const struct wn_sid *a, const struct wn_sid *b);

/* sid with its last number replaced, and a domain's SID with one added. */
struct wn_sid wn_sid_with_rid(const struct wn_sid *sid, uint32_t rid);
struct wn_sid wn_sid_add_rid(const struct wn_sid *domain, uint32_t rid);

#endif /* WINDOWS_SID_H */
