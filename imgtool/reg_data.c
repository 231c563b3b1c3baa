/* reg_data.c - values of the registry as text, both ways
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/utf.h"
#include "imgtool/reg.h"

static const char *const names[] = {
	[HV_NONE] = "REG_NONE", [HV_SZ] = "REG_SZ",
	[HV_EXPAND_SZ] = "REG_EXPAND_SZ", [HV_BINARY] = "REG_BINARY",
	[HV_DWORD] = "REG_DWORD", [HV_DWORD_BE] = "REG_DWORD_BIG_ENDIAN",
	[HV_LINK] = "REG_LINK", [HV_MULTI_SZ] = "REG_MULTI_SZ",
	[HV_RESOURCE_LIST] = "REG_RESOURCE_LIST",
	[HV_RESOURCE_DESCRIPTOR] = "REG_FULL_RESOURCE_DESCRIPTOR",
	[HV_RESOURCE_REQUIREMENTS] = "REG_RESOURCE_REQUIREMENTS_LIST",
	[HV_QWORD] = "REG_QWORD",
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *
reg_type_name(uint32_t type, char room[16])
{
	if (type < NAMES)
		return names[type];
	(void)snprintf(room, 16, "0x%" PRIx32, type);
	return room;
}

/* ---- from words ------------------------------------------------------------ */

static int
parse_type(const char *text, uint32_t *ret, struct err *e)
{
	uint64_t v;

	for (uint32_t i = 0; i < NAMES; i++)
		if (strcasecmp(text, names[i]) == 0 ||
		    strcasecmp(text, names[i] + strlen("REG_")) == 0) {
			*ret = i;
			return 0;
		}
	if (!num_parse(text, 0, UINT32_MAX, false, &v))
		return err_set(e, ERR_USAGE, "%s is no type of a value; types are "
			       "sz, expand_sz, multi_sz, dword, qword, binary, "
			       "none, link or a number", text);
	*ret = (uint32_t)v;
	return 0;
}

static int
put_text(const char *text, bool nul, struct buf *ret, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL;
	size_t bytes;

	if (utf_to16(text, &units, &bytes, e) < 0)
		return -1;
	buf_bytes(ret, units, bytes);
	if (nul)
		buf_u16le(ret, 0);
	return 0;
}

static int
put_strings(char *const *words, size_t count, struct buf *ret, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i][0] == '\0')
			return err_set(e, ERR_USAGE, "a list of strings cannot "
				       "hold an empty one");
		if (put_text(words[i], true, ret, e) < 0)
			return -1;
	}
	buf_u16le(ret, 0);
	return 0;
}

static unsigned
digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') :
	       c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 :
	       c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

static int
put_hex(char *const *words, size_t count, struct buf *ret, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		for (const char *s = words[i]; *s != '\0'; s += 2) {
			if (digit(s[0]) > 15 || digit(s[1]) > 15)
				return err_set(e, ERR_USAGE, "%s is no pairs of "
					       "hexadecimal digits", words[i]);
			buf_u8(ret, (uint8_t)(digit(s[0]) << 4 | digit(s[1])));
		}
	return 0;
}

static int
put_number(const char *word, uint32_t type, struct buf *ret, struct err *e)
{
	uint64_t v, max = type == HV_QWORD ? UINT64_MAX : UINT32_MAX;

	if (!num_parse(word, 0, max, false, &v))
		return err_set(e, ERR_USAGE, "%s is no number from 0 to %" PRIu64,
			       word, max);
	if (type == HV_QWORD)
		buf_u64le(ret, v);
	else
		buf_u32le(ret, type == HV_DWORD ? (uint32_t)v :
			  __builtin_bswap32((uint32_t)v));
	return 0;
}

int
reg_parse_data(const char *type, char *const *words, size_t count,
	       uint32_t *ret_type, struct buf *ret, struct err *e)
{
	uint32_t t = 0;
	int r;

	if (parse_type(type, &t, e) < 0)
		return -1;
	bool one = t == HV_SZ || t == HV_EXPAND_SZ || t == HV_LINK ||
		   t == HV_DWORD || t == HV_DWORD_BE || t == HV_QWORD;
	if (one && count != 1)
		return err_set(e, ERR_USAGE, "%s takes one word of data, not %zu",
			       names[t], count);
	if (t == HV_SZ || t == HV_EXPAND_SZ || t == HV_LINK)
		r = put_text(words[0], t != HV_LINK, ret, e);
	else if (one)
		r = put_number(words[0], t, ret, e);
	else if (t == HV_MULTI_SZ)
		r = put_strings(words, count, ret, e);
	else
		r = put_hex(words, count, ret, e);
	if (r < 0 || buf_ok(ret, e) < 0)
		return -1;
	*ret_type = t;
	return 0;
}

/* ---- to text ---------------------------------------------------------------- */

void
reg_print_text(FILE *out, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t c = 0;
		size_t n = utf_next8(text, left, &c);

		if (n == 0) {
			c = (uint8_t)*text;
			n = 1;
			(void)fprintf(out, "\\x%02" PRIx32, c);
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			(void)fprintf(out, "\\x%02" PRIx32, c);
		} else if (c >= 0xd800 && c < 0xe000) {
			(void)fprintf(out, "\\u%04" PRIx32, c);
		} else {
			(void)fwrite(text, 1, n, out);
		}
		text += n;
		left -= n;
	}
}

static bool
is_text(struct hv_data d)
{
	return (d.type == HV_SZ || d.type == HV_EXPAND_SZ || d.type == HV_LINK ||
		d.type == HV_MULTI_SZ) && d.len % 2 == 0;
}

/* Without the NULs at its end. */
static size_t
text_bytes(struct hv_data d, size_t most)
{
	size_t n = d.len;

	while (most > 0 && n >= 2 && d.at[n - 1] == 0 && d.at[n - 2] == 0) {
		n -= 2;
		most--;
	}
	return n;
}

static int
print_strings(FILE *out, struct hv_data d, const char *separator, struct err *e)
{
	struct cur c = cur_over("strings", d.at, text_bytes(d, 2));
	bool first = true;

	while (cur_left(&c) >= 2) {
		struct cur look = c;
		size_t n = 0;

		while (cur_left(&look) >= 2 && cur_u16le(&look) != 0)
			n += 2;
		struct cur s = cur_sub(&c, n);
		SCOPED_FREE char *text = utf_from16(s.at, n, e);

		if (text == NULL)
			return -1;
		if (cur_left(&c) >= 2)
			(void)cur_u16le(&c);
		if (!first)
			(void)fputs(separator, out);
		first = false;
		reg_print_text(out, text);
	}
	return 0;
}

int
reg_print_data(FILE *out, struct hv_data d, const char *separator, struct err *e)
{
	struct cur c = cur_over("value", d.at, d.len);

	if (is_text(d) && d.type == HV_MULTI_SZ)
		return print_strings(out, d, separator, e);
	if (is_text(d)) {
		SCOPED_FREE char *text = utf_from16(d.at, text_bytes(d, 1), e);

		if (text == NULL)
			return -1;
		reg_print_text(out, text);
	} else if (d.type == HV_DWORD && d.len == 4) {
		(void)fprintf(out, "%" PRIu32, cur_u32le(&c));
	} else if (d.type == HV_DWORD_BE && d.len == 4) {
		(void)fprintf(out, "%" PRIu32,
			      __builtin_bswap32(cur_u32le(&c)));
	} else if (d.type == HV_QWORD && d.len == 8) {
		(void)fprintf(out, "%" PRIu64, cur_u64le(&c));
	} else {
		while (cur_left(&c) > 0)
			(void)fprintf(out, "%02x", cur_u8(&c));
	}
	return 0;
}

/* "data" is the bytes; "text" or "number" is there where they have that form. */
int
reg_json_value(struct js *j, const struct hv_value *v, struct err *e)
{
	SCOPED_FREE char *name = hv_value_name(v, e);
	struct hv_data d = hv_data(v);
	struct cur c = cur_over("value", d.at, d.len);
	char room[16];

	if (name == NULL)
		return -1;
	js_str(j, "name", name);
	js_str(j, "type", reg_type_name(d.type, room));
	js_hex(j, "data", d.at, d.len);
	if (is_text(d)) {
		size_t nuls = d.type == HV_MULTI_SZ ? 2 : 1;
		SCOPED_FREE char *text = utf_from16(d.at, text_bytes(d, nuls), e);

		if (text == NULL)
			return -1;
		js_str(j, "text", text);
	} else if (d.type == HV_DWORD && d.len == 4) {
		js_u64(j, "number", cur_u32le(&c));
	} else if (d.type == HV_QWORD && d.len == 8) {
		js_u64(j, "number", cur_u64le(&c));
	}
	return 0;
}
