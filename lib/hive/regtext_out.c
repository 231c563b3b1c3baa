/* regtext_out.c - writing .reg text
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/regtext.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/utf.h"
#include "hive/hive-private.h"

enum { LINE_MAX_CHARS = 77 };	/* then a list of bytes goes on on the next */

static void
put_quoted(struct buf *out, const char *text)
{
	buf_u8(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			buf_u8(out, '\\');
		buf_u8(out, (uint8_t)*text);
	}
	buf_u8(out, '"');
}

/* Only a string that the quoted form says in full: one NUL, at its end, and no
 * controls; the rest is exact as bytes. */
static bool
is_plain(struct hv_data d)
{
	struct cur c = cur_over("string", d.at, d.len);

	if (d.type != HV_SZ || d.len % 2 != 0)
		return false;
	while (cur_left(&c) > 2) {
		uint16_t u = cur_u16le(&c);

		if (u < 0x20 || (u >= 0x7f && u < 0xa0) ||
		    (u >= 0xd800 && u < 0xe000) || u >= 0xfffe || u == 0xfeff)
			return false;
	}
	return cur_u16le(&c) == 0 && cur_ok(&c);
}

struct writer {
	struct buf text, path;
	const char *eol;
};

static void
writer_done(struct writer *w)
{
	buf_done(&w->text);
	buf_done(&w->path);
}

static void
put_bytes(struct writer *w, struct hv_data d, size_t line_start)
{
	struct buf *out = &w->text;
	struct cur c = cur_over("value", d.at, d.len);

	if (d.type == HV_BINARY)
		buf_str(out, "hex:");
	else
		buf_fmt(out, "hex(%x):", d.type);
	while (cur_left(&c) > 0) {
		if (out->len - line_start > LINE_MAX_CHARS - 3) {
			buf_fmt(out, "\\%s", w->eol);
			line_start = out->len;
			buf_str(out, "  ");
		}
		buf_fmt(out, "%02x", cur_u8(&c));
		if (cur_left(&c) > 0)
			buf_u8(out, ',');
	}
}

static int
put_value(struct writer *w, const struct hv_value *v, struct err *e)
{
	SCOPED_FREE char *name = hv_value_name(v, e);
	struct hv_data d = hv_data(v);
	size_t line_start = w->text.len;

	if (name == NULL)
		return -1;
	if (name[0] == '\0')
		buf_u8(&w->text, '@');
	else
		put_quoted(&w->text, name);
	buf_u8(&w->text, '=');
	if (is_plain(d)) {
		SCOPED_FREE char *text = utf_from16(d.at, d.len - 2, e);

		if (text == NULL)
			return -1;
		put_quoted(&w->text, text);
	} else if (d.type == HV_DWORD && d.len == 4) {
		struct cur c = cur_over("dword", d.at, d.len);

		buf_fmt(&w->text, "dword:%08x", cur_u32le(&c));
	} else {
		put_bytes(w, d, line_start);
	}
	buf_str(&w->text, w->eol);
	return 0;
}

static int
refuse(const struct writer *w, const char *what, struct err *e)
{
	char quoted[512];

	return err_set(e, ERR_UNSUPPORTED, "key %s: .reg text cannot say %s",
		       err_quote(quoted, sizeof(quoted), w->path.at,
				 w->path.len), what);
}

/* w->path is that of the key; it is as it was when this returns. */
static int
put_key(struct writer *w, const struct hv_key *k, struct err *e)
{
	size_t len = w->path.len;

	if (buf_ok(&w->path, e) < 0)
		return -1;
	if (strpbrk((const char *)w->path.at, "\r\n") != NULL)
		return refuse(w, "a line end in a name", e);
	if ((k->flags & HV_KEY_PREDEFINED) != 0)
		return refuse(w, "a predefined handle", e);
	buf_fmt(&w->text, "%s[%s]%s", w->eol, (const char *)w->path.at, w->eol);
	for (const struct hv_value *v = hv_value_first(k); v != NULL;
	     v = hv_value_next(v))
		if (put_value(w, v, e) < 0)
			return -1;
	for (const struct hv_key *s = hv_first(k); s != NULL; s = hv_next(s)) {
		SCOPED_FREE char *name = hv_name(s, e);

		if (name == NULL)
			return -1;
		if (len > 0 && w->path.at[len - 1] != '\\')
			buf_u8(&w->path, '\\');
		buf_str(&w->path, name);
		if (put_key(w, s, e) < 0)
			return -1;
		w->path.len = len;
		w->path.at[len] = '\0';
	}
	return 0;
}

int
hv_reg_write(const struct hv_key *top, const char *prefix,
	     enum hv_reg_form form, struct buf *out, struct err *e)
{
	SCOPED(writer_done) struct writer w = {
		.text = BUF_EMPTY, .path = BUF_EMPTY,
		.eol = form == HV_REG_UTF16 ? "\r\n" : "\n",
	};
	SCOPED_FREE uint8_t *units = NULL;
	size_t bytes;

	buf_str(&w.path, prefix[0] == '\0' ? "\\" : prefix);
	buf_fmt(&w.text, "Windows Registry Editor Version 5.00%s", w.eol);
	if (put_key(&w, top, e) < 0 || buf_ok(&w.text, e) < 0)
		return -1;
	if (form == HV_REG_UTF16) {
		if (utf_to16((const char *)w.text.at, &units, &bytes, e) < 0)
			return -1;
		buf_u16le(out, 0xfeff);
		buf_bytes(out, units, bytes);
	} else {
		buf_bytes(out, w.text.at, w.text.len);
	}
	return buf_ok(out, e);
}
