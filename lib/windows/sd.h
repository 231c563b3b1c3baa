/* sd.h - security descriptors: binary, SDDL, translation, access
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: [MS-DTYP] 2.4.4 to 2.4.6 (self-relative descriptors, ACLs, ACEs) and
 * 2.5.1 (SDDL).  Entries of a type that carries more than a mask and a SID
 * (object and callback entries) are kept as bytes: they go through binary
 * unchanged and have no SDDL, which wn_sd_to_sddl() refuses.
 *
 * Limits: 64 KiB a descriptor, which also bounds its entries.
 */
#ifndef WINDOWS_SD_H
#define WINDOWS_SD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"
#include "windows/sid.h"

struct buf;
struct err;

enum {
	WN_SD_MAX = 65536,

	/* control */
	WN_SD_DACL_PRESENT = 0x0004,
	WN_SD_SACL_PRESENT = 0x0010,
	WN_SD_DACL_INHERITED = 0x0400,	/* AI */
	WN_SD_SACL_INHERITED = 0x0800,
	WN_SD_DACL_PROTECTED = 0x1000,	/* P */
	WN_SD_SACL_PROTECTED = 0x2000,
	WN_SD_SELF_RELATIVE = 0x8000,

	/* types of entries */
	WN_ACE_ALLOW = 0,
	WN_ACE_DENY = 1,
	WN_ACE_AUDIT = 2,
	WN_ACE_LABEL = 0x11,

	/* flags of entries */
	WN_ACE_OI = 0x01,
	WN_ACE_CI = 0x02,
	WN_ACE_NP = 0x04,
	WN_ACE_IO = 0x08,
	WN_ACE_ID = 0x10,
};

struct wn_ace {
	uint8_t type, flags;
	uint32_t mask;
	struct wn_sid sid;	/* len 0: an entry kept as raw bytes */
	uint8_t *raw;		/* owned; body behind the 4-byte header */
	size_t raw_len;
};

struct wn_acl {
	bool present;		/* present with no entries denies everybody */
	bool null;		/* present but without a list: allows everybody */
	uint8_t revision;
	size_t count, cap;
	struct wn_ace *at;	/* owned */
};

struct wn_sd {
	uint16_t control;
	struct wn_sid owner, group;	/* len 0: none */
	struct wn_acl dacl, sacl;
};

#define WN_SD_EMPTY { .control = 0 }
#define WN_SD_SCOPED SCOPED(wn_sd_done)

void wn_sd_done(struct wn_sd *sd);

/* A self-relative descriptor; `ret` is empty before. */
MUST_CHECK int wn_sd_parse(const void *at, size_t len, struct wn_sd *ret,
			   struct err *e);

/* The self-relative form: header, owner, group, SACL, DACL. */
void wn_sd_build(const struct wn_sd *sd, struct buf *out);

/* SDDL, canonical: well-known accounts by their two letters only where those
 * mean the same on every machine. */
MUST_CHECK int wn_sd_from_sddl(const char *text, struct wn_sd *ret,
			       struct err *e);
MUST_CHECK int wn_sd_to_sddl(const struct wn_sd *sd, struct buf *out,
			     struct err *e);

/* Append an entry to a list. */
MUST_CHECK int wn_acl_add(struct wn_acl *acl, uint8_t type, uint8_t flags,
			  uint32_t mask, const struct wn_sid *sid,
			  struct err *e);

/* What stands for a SID on another machine; `to` without a SID drops the
 * entries that name `from`. */
struct wn_sid_map {
	struct wn_sid from, to;
};

/*
 * Put other SIDs into owner, group and entries.  Accounts that are in no map
 * and do not lie in `keep_domain` (may be empty) are unknown there: their
 * entries go, and an unknown owner or group becomes `fallback`.  Well-known
 * SIDs stay.  *ret_dropped (may be NULL) counts the entries dropped.
 */
void wn_sd_translate(struct wn_sd *sd, const struct wn_sid_map *map,
		     size_t count, const struct wn_sid *keep_domain,
		     const struct wn_sid *fallback, size_t *ret_dropped);

/*
 * Does the DACL give somebody who is all of sids[0..n) every bit of `want`?
 * Entries count in order, inherit-only ones do not, and a deny met first
 * decides its bits, as Windows does it.  Generic bits of entries must have
 * been mapped (WN_MAP_...) by the caller: `generic_all` is what GENERIC_ALL
 * stands for.
 */
bool wn_sd_grants(const struct wn_sd *sd, const struct wn_sid *sids, size_t n,
		  uint32_t want, uint32_t generic_all);

#endif /* WINDOWS_SD_H */
