/* lnk.c - shell links in binary; see lnk.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/lnk.h"

#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

enum {
	HEADER_BYTES = 0x4c,
	ENV_BYTES = 0x314 - 8,		/* 260 ANSI and 260 UTF-16 units */
	ENV_ANSI = 260,
	ENV_UNICODE = 520,
};

/* {00021401-0000-0000-C000-000000000046} */
static const uint8_t class_id[16] = {
	0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46,
};

static const uint32_t string_flag[PM_LNK_STRINGS] = {
	PM_LNK_NAME, PM_LNK_RELATIVE, PM_LNK_WORKING, PM_LNK_ARGUMENTS,
	PM_LNK_ICON,
};

void
pm_lnk_done(struct pm_lnk *l)
{
	free(l->ids);
	free(l->info);
	free(l->target);
	for (size_t i = 0; i < PM_LNK_STRINGS; i++)
		free(l->string[i]);
	for (size_t i = 0; i < l->blocks; i++)
		free(l->block[i].at);
	*l = (struct pm_lnk)PM_LNK_EMPTY;
}

/* Windows' ANSI text of unknown code page, as Latin-1: paths that are not
 * ASCII stand in UTF-16 beside it. */
static char *
from_ansi(const uint8_t *at, size_t len, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (size_t i = 0; i < len && at[i] != 0; i++) {
		if (at[i] < 0x80) {
			buf_u8(&b, at[i]);
		} else {
			buf_u8(&b, (uint8_t)(0xc0 | at[i] >> 6));
			buf_u8(&b, (uint8_t)(0x80 | (at[i] & 0x3f)));
		}
	}
	return buf_take_str(&b, e);
}

/* UTF-16 up to its NUL or the end. */
static char *
from_units(const uint8_t *at, size_t bytes, struct err *e)
{
	size_t n = 0;

	while (n + 1 < bytes && (at[n] != 0 || at[n + 1] != 0))
		n += 2;
	return utf_from16(at, n, e);
}

static int
copy_bytes(struct cur *c, size_t n, uint8_t **ret, size_t *ret_len,
	   struct err *e)
{
	if (!cur_ok(c) || n > cur_left(c)) {
		cur_bad(c, "ends too early");
		return cur_err(c, e);
	}
	*ret = mem_array(n, 1, e);
	if (*ret == NULL)
		return -1;
	cur_bytes(c, *ret, n);
	*ret_len = n;
	return 0;
}

static int
read_header(struct cur *c, struct pm_lnk *l)
{
	uint32_t size = cur_u32le(c);

	if (cur_ok(c) && size != HEADER_BYTES)
		cur_bad(c, "is no shell link");
	cur_magic(c, class_id, sizeof(class_id));
	l->flags = cur_u32le(c);
	l->attributes = cur_u32le(c);
	cur_bytes(c, l->head, sizeof(l->head));
	(void)cur_u64le(c);	/* reserved; some writers leave rubbish */
	return cur_ok(c) ? 0 : -1;
}

static int
read_string(struct cur *c, bool unicode, char **ret, struct err *e)
{
	size_t n = cur_u16le(c);
	SCOPED_FREE uint8_t *raw = NULL;
	size_t len;

	if (copy_bytes(c, unicode ? 2 * n : n, &raw, &len, e) < 0)
		return -1;
	*ret = unicode ? utf_from16(raw, len, e) : from_ansi(raw, len, e);
	return *ret == NULL ? -1 : 0;
}

static int
read_blocks(struct cur *c, struct pm_lnk *l, struct err *e)
{
	for (;;) {
		uint32_t size = cur_u32le(c);
		struct pm_lnk_block *b = &l->block[l->blocks];

		if (!cur_ok(c))
			return cur_err(c, e);
		if (size < 4)
			return 0;
		if (size < 8 || l->blocks == PM_LNK_BLOCKS) {
			cur_bad(c, "holds a malformed data block");
			return cur_err(c, e);
		}
		b->signature = cur_u32le(c);
		if (copy_bytes(c, size - 8, &b->at, &b->len, e) < 0)
			return -1;
		l->blocks++;
	}
}

static struct pm_lnk_block *
find_block(struct pm_lnk *l, uint32_t signature)
{
	for (size_t i = 0; i < l->blocks; i++)
		if (l->block[i].signature == signature)
			return &l->block[i];
	return NULL;
}

/* A NUL-ended string of LinkInfo at an offset that counts from its size. */
static char *
info_string(const struct pm_lnk *l, uint32_t off, bool unicode, struct err *e)
{
	const uint8_t *at;

	if (off < 4 || off - 4 >= l->info_len)
		return mem_str("", e);
	at = l->info + (off - 4);
	return unicode ? from_units(at, l->info_len - (off - 4), e) :
		from_ansi(at, l->info_len - (off - 4), e);
}

/* [MS-SHLLINK] 2.3: local base path or network share, and the suffix. */
static int
info_target(struct pm_lnk *l, struct err *e)
{
	struct cur c = cur_over("LinkInfo", l->info, l->info_len);
	uint32_t header = cur_u32le(&c);
	uint32_t flags = cur_u32le(&c);
	(void)cur_u32le(&c);
	uint32_t base = cur_u32le(&c);
	uint32_t net = cur_u32le(&c);
	uint32_t suffix = cur_u32le(&c);
	bool unicode = cur_ok(&c) && header >= 0x24 && (flags & 1) != 0;
	SCOPED_FREE char *first = NULL, *second = NULL;

	if (!cur_ok(&c))
		return 0;	/* LinkInfo is a hint: a broken one says nothing */
	if (unicode) {
		base = cur_u32le(&c);
		suffix = cur_u32le(&c);
	}
	if ((flags & 1) != 0) {
		first = info_string(l, base, unicode && cur_ok(&c), e);
	} else if ((flags & 2) != 0 && num_in_range(net, 12, l->info_len)) {
		struct cur n = cur_over("LinkInfo", l->info + net - 4,
					l->info_len - (net - 4));

		(void)cur_u64le(&n);
		first = info_string(l, net + cur_u32le(&n), false, e);
		l->network = true;
	} else {
		return 0;
	}
	second = info_string(l, suffix, unicode, e);
	if (first == NULL || second == NULL)
		return -1;
	if (first[0] == '\0')
		return 0;
	l->target = mem_fmt(e, "%s%s%s", first, l->network &&
			    second[0] != '\0' ? "\\" : "", second);
	return l->target == NULL ? -1 : 0;
}

/* The long name of a file item, else its short one; appended. */
static int
item_name(struct cur item, struct buf *path, struct err *e)
{
	struct cur all = item;
	size_t len = cur_left(&item);
	SCOPED_FREE uint8_t *raw = mem_array(len, 1, e);
	SCOPED_FREE char *name = NULL;
	size_t ext, off;

	if (raw == NULL)
		return -1;
	cur_bytes(&all, raw, len);
	if (len < 12)
		return 0;
	/* The last two bytes say where the extension block begins, counted
	 * with the item's size; its 0xbeef0004 holds the long name at the
	 * offset in its bytes 16 and 17. */
	ext = raw[len - 2] | (size_t)raw[len - 1] << 8;
	if (ext >= 14 && num_in_range(ext - 2, 20, len) &&
	    memcmp(raw + ext - 2 + 4, "\x04\0\xef\xbe", 4) == 0) {
		off = raw[ext - 2 + 16] | (size_t)raw[ext - 2 + 17] << 8;
		if (off >= 18 && ext - 2 + off < len)
			name = from_units(raw + ext - 2 + off,
					  len - (ext - 2 + off), e);
	}
	if (name == NULL && e->kind == ERR_NONE)
		name = (raw[0] & 4) != 0 ? from_units(raw + 12, len - 12, e) :
			from_ansi(raw + 12, len - 12, e);
	if (name == NULL)
		return -1;
	if (path->len > 0 && path->at[path->len - 1] != '\\')
		buf_u8(path, '\\');
	buf_str(path, name);
	return 0;
}

/* "This PC", a drive, folders, a file: a path.  Anything else is none. */
static int
ids_target(struct pm_lnk *l, struct err *e)
{
	struct cur c = cur_over("item ids", l->ids, l->ids_len);
	BUF_SCOPED struct buf path = BUF_EMPTY;

	while (cur_left(&c) >= 2) {
		uint16_t size = cur_u16le(&c);
		struct cur item, look;
		uint8_t kind;

		if (size < 3)
			break;
		item = look = cur_sub(&c, size - 2u);
		kind = cur_u8(&look);
		if (!cur_ok(&c) || !cur_ok(&look))
			return 0;
		if (kind == 0x1f && path.len == 0)
			continue;
		if ((kind & 0x70) == 0x20 && path.len == 0) {
			uint8_t drive[2] = { 0 };

			cur_bytes(&look, drive, 2);
			if (cur_ok(&look) && drive[1] == ':')
				buf_fmt(&path, "%c:\\", drive[0]);
			continue;
		}
		if ((kind & 0x70) != 0x30 || path.len == 0)
			return 0;
		if (item_name(item, &path, e) < 0)
			return -1;
	}
	if (path.len <= 3)
		return buf_ok(&path, e);
	l->target = buf_take_str(&path, e);
	return l->target == NULL ? -1 : 0;
}

static int
env_target(struct pm_lnk *l, struct err *e)
{
	const struct pm_lnk_block *b =
		find_block(l, (uint32_t)PM_LNK_BLOCK_ENV);

	if (b == NULL || b->len != ENV_BYTES)
		return 0;
	l->target = from_units(b->at + ENV_ANSI, ENV_UNICODE, e);
	if (l->target == NULL)
		return -1;
	if (l->target[0] == '\0') {
		free(l->target);
		l->target = from_ansi(b->at, ENV_ANSI, e);
		if (l->target == NULL)
			return -1;
		if (l->target[0] == '\0')
			free(TAKE(l->target));
	}
	return 0;
}

int
pm_lnk_parse(const void *at, size_t len, struct pm_lnk *ret, struct err *e)
{
	PM_LNK_SCOPED struct pm_lnk l = PM_LNK_EMPTY;
	struct cur c = cur_over("shell link", at, len > PM_LNK_MAX ? 0 : len);
	bool unicode;

	if (read_header(&c, &l) < 0)
		return cur_err(&c, e);
	unicode = (l.flags & PM_LNK_UNICODE) != 0;
	if ((l.flags & PM_LNK_ID_LIST) != 0) {
		size_t n = cur_u16le(&c);

		if (copy_bytes(&c, n, &l.ids, &l.ids_len, e) < 0)
			return -1;
	}
	if ((l.flags & PM_LNK_INFO) != 0) {
		uint32_t n = cur_u32le(&c);

		if (cur_ok(&c) && n < 4)
			cur_bad(&c, "has a malformed LinkInfo");
		if (!cur_ok(&c))
			return cur_err(&c, e);
		if (copy_bytes(&c, n - 4, &l.info, &l.info_len, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < PM_LNK_STRINGS; i++)
		if ((l.flags & string_flag[i]) != 0 &&
		    read_string(&c, unicode, &l.string[i], e) < 0)
			return -1;
	if (read_blocks(&c, &l, e) < 0)
		return -1;
	if ((l.flags & PM_LNK_PREFER_ENV) != 0 && env_target(&l, e) < 0)
		return -1;
	if (l.target == NULL && l.info != NULL && info_target(&l, e) < 0)
		return -1;
	if (l.target == NULL && l.ids != NULL && ids_target(&l, e) < 0)
		return -1;
	if (l.target == NULL && env_target(&l, e) < 0)
		return -1;
	*ret = TAKE(l);
	return 0;
}

static int
put_string(struct buf *out, const char *text, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL;
	size_t len;

	if (utf_to16(text, &units, &len, e) < 0)
		return -1;
	if (len / 2 > UINT16_MAX)
		return err_set(e, ERR_UNSUPPORTED, "shell link: a string is "
			       "too long");
	buf_u16le(out, (uint16_t)(len / 2));
	buf_bytes(out, units, len);
	return 0;
}

int
pm_lnk_build(const struct pm_lnk *l, struct buf *out, struct err *e)
{
	uint32_t flags = l->flags | PM_LNK_UNICODE;

	flags &= ~(uint32_t)(PM_LNK_ID_LIST | PM_LNK_INFO);
	flags |= l->ids != NULL ? PM_LNK_ID_LIST : 0;
	flags |= l->info != NULL ? PM_LNK_INFO : 0;
	for (size_t i = 0; i < PM_LNK_STRINGS; i++) {
		flags &= ~string_flag[i];
		flags |= l->string[i] != NULL ? string_flag[i] : 0;
	}
	buf_u32le(out, HEADER_BYTES);
	buf_bytes(out, class_id, sizeof(class_id));
	buf_u32le(out, flags);
	buf_u32le(out, l->attributes);
	buf_bytes(out, l->head, sizeof(l->head));
	buf_zeros(out, 8);
	if (l->ids != NULL) {
		buf_u16le(out, (uint16_t)l->ids_len);
		buf_bytes(out, l->ids, l->ids_len);
	}
	if (l->info != NULL) {
		buf_u32le(out, (uint32_t)(l->info_len + 4));
		buf_bytes(out, l->info, l->info_len);
	}
	for (size_t i = 0; i < PM_LNK_STRINGS; i++)
		if (l->string[i] != NULL &&
		    put_string(out, l->string[i], e) < 0)
			return -1;
	for (size_t i = 0; i < l->blocks; i++) {
		buf_u32le(out, (uint32_t)(l->block[i].len + 8));
		buf_u32le(out, l->block[i].signature);
		buf_bytes(out, l->block[i].at, l->block[i].len);
	}
	buf_u32le(out, 0);
	return buf_ok(out, e);
}
