/* text.c - the sides of an entry as text, and back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A side is the word "absent" or a list whose first word says what follows:
 * [dword, 0x00000000], [sz, atapi], [text, "a\r\n"], [hex, 0badc0de],
 * [sha256, SIZE, DIGEST], [image, PATH, SIZE, DIGEST] and so on
 * (docs/FORMAT.md, "Change sets").
 */
#include "change/change-private.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "base/yaml.h"

const char *const cs_type_words[] = {
	"none", "sz", "expand-sz", "binary", "dword", "dword-be", "symlink",
	"multi-sz", "resource-list", "full-resource-descriptor",
	"resource-requirements-list", "qword", NULL
};

const char *const cs_origin_words[] = {
	[CS_IMAGE] = "image",
	[CS_CABINET] = "cabinet",
	[CS_BUNDLE] = "bundle",
	[CS_DRIVERS] = "drivers",
	NULL
};

void
cs_put_hex(struct buf *out, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		buf_fmt(out, "%02x", p[i]);
}

static void
put_word(struct buf *out, const char *s)
{
	buf_str(out, ", ");
	yml_put_scalar(out, s);
}

/* UTF-16LE text as one word; false when it is not exactly representable. */
static bool
put_text16(struct buf *out, const uint8_t *data, size_t len)
{
	struct err e = ERR_INIT;
	SCOPED_FREE char *s = utf_from16(data, len, &e);
	SCOPED_FREE uint8_t *back = NULL;
	size_t back_len;

	if (s == NULL) {
		out->bad = true;
		return true;
	}
	if (!utf_valid8(s, strlen(s)))
		return false;
	if (utf_to16(s, &back, &back_len, &e) < 0 || back_len != len ||
	    memcmp(back, data, len) != 0)
		return false;
	put_word(out, s);
	return true;
}

static bool
zero_unit(const uint8_t *data, size_t at)
{
	return data[at] == 0 && data[at + 1] == 0;
}

/* The length in bytes of the text at data, up to its zero; SIZE_MAX: none. */
static size_t
text_len(const uint8_t *data, size_t len)
{
	for (size_t i = 0; num_in_range(i, 2, len); i += 2)
		if (zero_unit(data, i))
			return i;
	return SIZE_MAX;
}

/* The words of a value in its type's own form; false: hexadecimal instead. */
static bool
put_typed(struct buf *out, uint32_t type, const uint8_t *data, size_t len)
{
	size_t n;

	switch (type) {
	case CS_REG_DWORD:
	case CS_REG_QWORD: {
		struct cur c = cur_over("value", data, len);

		if (len != (type == CS_REG_DWORD ? 4u : 8u))
			return false;
		if (len == 4)
			buf_fmt(out, ", 0x%08x", cur_u32le(&c));
		else
			buf_fmt(out, ", 0x%016llx",
				(unsigned long long)cur_u64le(&c));
		return true;
	}
	case CS_REG_SZ:
	case CS_REG_EXPAND_SZ:
		n = text_len(data, len);
		return n != SIZE_MAX && n + 2 == len && put_text16(out, data, n);
	case CS_REG_MULTI_SZ:
		for (; len > 2; data += n + 2, len -= n + 2) {
			n = text_len(data, len);
			if (n == SIZE_MAX || n == 0 ||
			    !put_text16(out, data, n))
				return false;
		}
		return len == 2 && zero_unit(data, 0);
	case CS_REG_BINARY:
		buf_str(out, ", '");
		cs_put_hex(out, data, len);
		buf_str(out, "'");
		return true;
	default:
		return false;
	}
}

static void
put_value(struct buf *out, const struct cs_side *s)
{
	size_t start = out->len;

	if (s->type <= CS_REG_QWORD) {
		buf_fmt(out, "[%s", cs_type_words[s->type]);
		if (put_typed(out, s->type, s->data, s->len)) {
			buf_str(out, "]");
			return;
		}
	}
	out->len = start;
	buf_fmt(out, "[hex, %u, '", s->type);
	cs_put_hex(out, s->data, s->len);
	buf_str(out, "']");
}

static bool
is_text(const struct cs_side *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->data[i] < 0x20 && s->data[i] != '\n' &&
		    s->data[i] != '\r' && s->data[i] != '\t')
			return false;
	return utf_valid8(s->data, s->len);
}

static void
put_inline(struct buf *out, enum cs_kind kind, const struct cs_side *s)
{
	if (kind == CS_DIRECTORY || kind == CS_KEY) {
		buf_str(out, "present");
		return;
	}
	if (kind == CS_VALUE) {
		put_value(out, s);
		return;
	}
	if (kind != CS_BYTES && kind != CS_REPARSE && is_text(s)) {
		buf_str(out, "[text, ");
		yml_put_scalarn(out, s->data, s->len);
		buf_str(out, "]");
		return;
	}
	buf_str(out, "[bytes, '");
	cs_put_hex(out, s->data, s->len);
	buf_str(out, "']");
}

void
cs_put_side(struct buf *out, enum cs_kind kind, const struct cs_side *s)
{
	switch (s->have) {
	case CS_ABSENT:
		buf_str(out, "absent");
		return;
	case CS_INLINE:
		put_inline(out, kind, s);
		return;
	case CS_HASHED:
		buf_str(out, "[sha256");
		break;
	case CS_FROM:
	default:
		buf_fmt(out, "[%s", cs_origin_words[s->origin]);
		put_word(out, s->path);
		if (s->member != NULL)
			put_word(out, s->member);
		break;
	}
	if (kind == CS_VALUE)
		buf_fmt(out, ", %u", s->type);
	buf_fmt(out, ", %llu, '", (unsigned long long)s->size);
	cs_put_hex(out, s->hash, CS_HASH_BYTES);
	buf_str(out, "']");
}
