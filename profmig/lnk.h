/* lnk.h - shell links: read, point elsewhere, write
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Source: [MS-SHLLINK] 2.1 to 2.5; item ids as libyal's "Windows Shell Item
 * format" describes them.  A shell resolves a link by its item ids first, then
 * by LinkInfo, then by the environment block, so after a move all of them must
 * agree: pm_lnk_rewrite() drops the first two and leaves the third as the only
 * truth, the form that Windows 7's own migration writes.
 */
#ifndef PROFMIG_LNK_H
#define PROFMIG_LNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/scope.h"

struct buf;
struct err;
struct pm_rewrite;

enum {
	PM_LNK_MAX = 1 << 20,		/* bytes of a link that is read */
	PM_LNK_BLOCKS = 64,
};

/* LinkFlags that matter here. */
enum {
	PM_LNK_ID_LIST = 0x1, PM_LNK_INFO = 0x2, PM_LNK_NAME = 0x4,
	PM_LNK_RELATIVE = 0x8, PM_LNK_WORKING = 0x10, PM_LNK_ARGUMENTS = 0x20,
	PM_LNK_ICON = 0x40, PM_LNK_UNICODE = 0x80, PM_LNK_NO_INFO = 0x100,
	PM_LNK_EXP_STRING = 0x200, PM_LNK_DARWIN = 0x1000,
	PM_LNK_EXP_ICON = 0x4000, PM_LNK_PREFER_ENV = 0x2000000,
};

enum {
	PM_LNK_BLOCK_ENV = (int)0xa0000001,
	PM_LNK_BLOCK_TRACKER = (int)0xa0000003,
	PM_LNK_BLOCK_SPECIAL = (int)0xa0000005,
	PM_LNK_BLOCK_DARWIN = (int)0xa0000006,
	PM_LNK_BLOCK_ICON = (int)0xa0000007,
	PM_LNK_BLOCK_KNOWN = (int)0xa000000b,
	PM_LNK_BLOCK_IDS = (int)0xa000000c,
};

enum pm_lnk_string {
	PM_LNK_S_NAME, PM_LNK_S_RELATIVE, PM_LNK_S_WORKING, PM_LNK_S_ARGUMENTS,
	PM_LNK_S_ICON, PM_LNK_STRINGS
};

struct pm_lnk_block {
	uint32_t signature;
	uint8_t *at;		/* owned; behind size and signature */
	size_t len;
};

struct pm_lnk {
	uint32_t flags, attributes;
	uint8_t head[40];	/* times, size, icon index, show, hot key, ... */
	uint8_t *ids;		/* owned; the item ids without their size */
	size_t ids_len;
	uint8_t *info;		/* owned; LinkInfo without its size */
	size_t info_len;
	char *string[PM_LNK_STRINGS];	/* owned, WTF-8, or NULL */
	size_t blocks;
	struct pm_lnk_block block[PM_LNK_BLOCKS];
	char *target;		/* owned; the path it points at, or NULL when
				 * it is no file (a printer, a control panel) */
	bool network;		/* the target is \\server\share... */
};

#define PM_LNK_EMPTY { .flags = 0 }
#define PM_LNK_SCOPED SCOPED(pm_lnk_done)
void pm_lnk_done(struct pm_lnk *l);

MUST_CHECK int pm_lnk_parse(const void *at, size_t len, struct pm_lnk *ret,
			    struct err *e);

/* The link as bytes. */
MUST_CHECK int pm_lnk_build(const struct pm_lnk *l, struct buf *out,
			    struct err *e);

/*
 * Point it where the target lives now, and put new paths into its strings; the
 * tracker, which knows the old machine, goes.  *ret_changed: was there anything
 * to change besides the tracker?
 */
MUST_CHECK int pm_lnk_rewrite(struct pm_lnk *l, const struct pm_rewrite *rw,
			      bool *ret_changed, struct err *e);

#endif /* PROFMIG_LNK_H */
