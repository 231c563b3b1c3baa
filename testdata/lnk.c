/* lnk.c - see lnk.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * [MS-SHLLINK] 2: header, target id list, link info, strings, tracker block.
 * Items of the id list as Explorer of XP writes them (libfwsi's documentation):
 * My Computer, the drive, folders and file with their 0xbeef0004 extension.
 */
#include "testdata/lnk.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"

enum {
	HAS_IDS = 1, HAS_INFO = 2, HAS_NAME = 4, HAS_DIR = 16, HAS_ARGS = 32,
	UNICODE = 128,
	DOS_DATE = 28 << 9 | 4 << 5 | 14,
};

static void
put_guid_text(struct buf *b, const char *bytes)
{
	buf_bytes(b, bytes, 16);
}

static void
put_wide(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_u16le(b, (uint16_t)(uint8_t)s[i]);
}

static void
put_string(struct buf *b, const char *s)
{
	if (s == NULL)
		return;
	buf_u16le(b, (uint16_t)strlen(s));
	put_wide(b, s, strlen(s));
}

static void
put_short(struct buf *b, const char *name, size_t len)
{
	const char *dot = memrchr(name, '.', len);
	size_t stem = dot == NULL ? len : (size_t)(dot - name), n = 0;
	bool whole = stem <= 8 && memchr(name, ' ', stem) == NULL;

	for (size_t i = 0; i < stem && n < (whole ? 8 : 6); i++)
		if (name[i] != ' ' && ++n > 0)
			buf_u8(b, (uint8_t)toupper((unsigned char)name[i]));
	if (!whole)
		buf_str(b, "~1");
	for (size_t i = stem; i < len && i < stem + 4; i++)
		buf_u8(b, (uint8_t)toupper((unsigned char)name[i]));
}

/* One folder or file of the id list: short name, then the long one. */
static void
put_item(struct buf *b, const char *name, size_t len, bool folder)
{
	BUF_SCOPED struct buf item = BUF_EMPTY, ext = BUF_EMPTY;
	size_t ext_at;

	buf_u8(&item, folder ? 0x31 : 0x32);
	buf_u8(&item, 0);
	buf_u32le(&item, 0);
	buf_u16le(&item, DOS_DATE);
	buf_u16le(&item, 0x6000);
	buf_u16le(&item, folder ? 0x10 : 0x20);
	put_short(&item, name, len);
	buf_zeros(&item, 1 + (item.len + 1) % 2);
	ext_at = item.len;
	buf_u16le(&ext, 3);
	buf_u32le(&ext, 0xbeef0004);
	for (int i = 0; i < 2; i++) {
		buf_u16le(&ext, DOS_DATE);
		buf_u16le(&ext, 0x6000);
	}
	buf_u16le(&ext, 0x14);
	buf_u16le(&ext, 0);		/* no localized name */
	put_wide(&ext, name, len);
	buf_u16le(&ext, 0);
	buf_u16le(&ext, (uint16_t)(ext_at + 2));
	buf_u16le(&item, (uint16_t)(ext.len + 2));
	buf_bytes(&item, ext.at, ext.len);
	buf_u16le(b, (uint16_t)(item.len + 2));
	buf_bytes(b, item.at, item.len);
}

static void
put_ids(struct buf *b, const struct lnk *l)
{
	BUF_SCOPED struct buf list = BUF_EMPTY;
	const char *at = l->target + 3;

	buf_u16le(&list, 20);
	buf_u16le(&list, 0x501f);
	put_guid_text(&list, "\xe0\x4f\xd0\x20\xea\x3a\x69\x10"
		      "\xa2\xd8\x08\x00\x2b\x30\x30\x9d");
	buf_u16le(&list, 25);
	buf_u8(&list, 0x2f);
	buf_bytes(&list, l->target, 3);
	buf_zeros(&list, 19);
	while (*at != '\0') {
		size_t n = strcspn(at, "\\");

		put_item(&list, at, n, at[n] == '\\' || l->folder);
		at += n + (at[n] == '\\' ? 1 : 0);
	}
	buf_u16le(&list, 0);
	buf_u16le(b, (uint16_t)list.len);
	buf_bytes(b, list.at, list.len);
}

static void
put_info(struct buf *b, const struct lnk *l)
{
	size_t path = strlen(l->target) + 1;

	buf_u32le(b, (uint32_t)(28 + 17 + path + 1));
	buf_u32le(b, 28);
	buf_u32le(b, 1);		/* a volume and a local path */
	buf_u32le(b, 28);
	buf_u32le(b, 28 + 17);
	buf_u32le(b, 0);
	buf_u32le(b, (uint32_t)(28 + 17 + path));
	buf_u32le(b, 17);
	buf_u32le(b, 3);		/* fixed drive */
	buf_u32le(b, l->volume_serial);
	buf_u32le(b, 16);
	buf_u8(b, 0);			/* no label */
	buf_bytes(b, l->target, path);
	buf_u8(b, 0);
}

static void
put_tracker(struct buf *b, const struct lnk *l)
{
	char name[16] = "";

	for (size_t i = 0; i < 15 && l->machine[i] != '\0'; i++)
		name[i] = (char)tolower((unsigned char)l->machine[i]);
	buf_u32le(b, 0x60);
	buf_u32le(b, 0xa0000003);
	buf_u32le(b, 0x58);
	buf_u32le(b, 0);
	buf_bytes(b, name, 16);
	for (int twice = 0; twice < 2; twice++) {
		put_guid_text(b, "\x11\x22\x33\x44\x55\x66\x77\x48"
			      "\x99\xaa\xbb\xcc\xdd\xee\xff\x01");
		put_guid_text(b, "\x40\x8f\x1e\x2c\x59\x4a\xde\x11"
			      "\x8c\x30\x00\x11\x22\x33\x44\x55");
	}
}

void
lnk_put(struct buf *out, const struct lnk *l)
{
	uint32_t flags = HAS_IDS | HAS_INFO | UNICODE;

	flags |= l->about != NULL ? HAS_NAME : 0;
	flags |= l->start_in != NULL ? HAS_DIR : 0;
	flags |= l->args != NULL ? HAS_ARGS : 0;
	buf_u32le(out, 0x4c);
	put_guid_text(out, "\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46");
	buf_u32le(out, flags);
	buf_u32le(out, l->folder ? 0x10 : 0x20);
	for (int i = 0; i < 3; i++)
		buf_u64le(out, l->time);
	buf_u32le(out, 0);
	buf_u32le(out, 0);
	buf_u32le(out, 1);
	buf_zeros(out, 12);
	put_ids(out, l);
	put_info(out, l);
	put_string(out, l->about);
	put_string(out, l->start_in);
	put_string(out, l->args);
	put_tracker(out, l);
	buf_u32le(out, 0);
}
