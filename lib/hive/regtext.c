/* regtext.c - reading .reg text
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/regtext.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

/* The text as WTF-8, and where the reading is. */
struct text {
	const char *name;
	const char *at;		/* NUL-terminated; the text holds no NUL */
	unsigned line;
	bool ansi;		/* REGEDIT4: strings in hex are bytes */
	char *path;		/* of the last key; owned */
	bool deleted;		/* it was [-path] */
	hv_reg_fn *each;
	void *ctx;
};

static int
bad(const struct text *t, struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s: line %u %s", t->name, t->line, what);
}

/* ---- encodings ------------------------------------------------------------ */

/* 0x80 to 0x9f of Windows-1252; the five unused ones are C1 controls, as in
 * Windows. */
static const uint16_t cp1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static void
put_ansi(struct buf *out, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_u16le(out, at[i] >= 0x80 && at[i] < 0xa0 ?
			  cp1252[at[i] - 0x80] : at[i]);
}

/* Any of the encodings as WTF-8. */
static char *
decode(const char *name, const uint8_t *at, size_t len, struct err *e)
{
	BUF_SCOPED struct buf wide = BUF_EMPTY;

	if (len >= 2 && at[0] == 0xff && at[1] == 0xfe) {
		if (len % 2 != 0) {
			(void)err_set(e, ERR_CORRUPT, "%s: UTF-16 text of an odd "
				      "number of bytes", name);
			return NULL;
		}
		return utf_from16(at + 2, len - 2, e);
	}
	if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
		at += 3;
		len -= 3;
	}
	if (len > 0 && memchr(at, 0, len) != NULL) {
		(void)err_set(e, ERR_CORRUPT, "%s: text has a NUL byte in it",
			      name);
		return NULL;
	}
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;

		n = utf_next8(at + i, len - i, &c);
		if (n == 0) {
			put_ansi(&wide, at, len);
			if (buf_ok(&wide, e) < 0)
				return NULL;
			return utf_from16(wide.at, wide.len, e);
		}
	}
	return mem_strn(at, len, e);
}

/* ---- tokens --------------------------------------------------------------- */

static bool
at_end_of_line(const struct text *t)
{
	return *t->at == '\0' || *t->at == '\n' || *t->at == '\r';
}

static void
skip_blanks(struct text *t)
{
	t->at += strspn(t->at, " \t");
}

static void
next_line(struct text *t)
{
	t->at += strcspn(t->at, "\r\n");
	if (*t->at == '\r')
		t->at++;
	if (*t->at == '\n')
		t->at++;
	t->line++;
}

static bool
skip_word(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(t->at, word, n) != 0)
		return false;
	t->at += n;
	return true;
}

/* "text" with \\ and \" inside; it may run over lines, as regedit writes it. */
static int
quoted(struct text *t, struct buf *out, struct err *e)
{
	unsigned start = t->line;

	for (t->at++; *t->at != '"'; t->at++) {
		if (*t->at == '\0') {
			t->line = start;
			return bad(t, e, "has a quote that does not end");
		}
		if (*t->at == '\n')
			t->line++;
		if (*t->at == '\\' && (t->at[1] == '\\' || t->at[1] == '"'))
			t->at++;
		buf_u8(out, (uint8_t)*t->at);
	}
	t->at++;
	return 0;
}

static unsigned
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') :
	       c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 :
	       c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* One to `most` digits. */
static int
hex(struct text *t, size_t most, uint32_t *ret, struct err *e)
{
	uint32_t v = 0;
	size_t n = 0;

	for (; hex_digit(*t->at) < 16; t->at++, n++) {
		if (n == most)
			return bad(t, e, "has a number that is too long");
		v = v << 4 | hex_digit(*t->at);
	}
	if (n == 0)
		return bad(t, e, "lacks a hexadecimal number");
	*ret = v;
	return 0;
}

/* A backslash at the end of a line: the list goes on. */
static bool
continued(struct text *t)
{
	struct text look = *t;

	if (*look.at != '\\')
		return false;
	look.at++;
	skip_blanks(&look);
	if (!at_end_of_line(&look))
		return false;
	next_line(&look);
	skip_blanks(&look);
	*t = look;
	return true;
}

static int
hex_list(struct text *t, struct buf *out, struct err *e)
{
	for (;;) {
		uint32_t v = 0;

		skip_blanks(t);
		while (continued(t))
			;
		if (at_end_of_line(t) || *t->at == ';')
			return 0;
		if (hex(t, 2, &v, e) < 0)
			return -1;
		buf_u8(out, (uint8_t)v);
		skip_blanks(t);
		if (*t->at == ',')
			t->at++;
		else if (!at_end_of_line(t) && *t->at != ';' && *t->at != '\\')
			return bad(t, e, "has something else in a list of bytes");
	}
}

/* "(7)" after hex or str; without it `otherwise`. */
static int
type_in_brackets(struct text *t, uint32_t otherwise, uint32_t *ret,
		 struct err *e)
{
	*ret = otherwise;
	if (*t->at == '(') {
		t->at++;
		if (hex(t, 8, ret, e) < 0)
			return -1;
		if (*t->at++ != ')')
			return bad(t, e, "lacks a bracket");
	}
	if (*t->at++ != ':')
		return bad(t, e, "lacks a colon");
	return 0;
}

/* ---- values --------------------------------------------------------------- */

static int
string_data(struct text *t, struct buf *out, struct err *e)
{
	BUF_SCOPED struct buf text = BUF_EMPTY;
	SCOPED_FREE uint8_t *units = NULL;
	size_t bytes;

	if (*t->at != '"')
		return bad(t, e, "lacks a quoted text");
	if (quoted(t, &text, e) < 0)
		return -1;
	SCOPED_FREE char *s = buf_take_str(&text, e);
	if (s == NULL || utf_to16(s, &units, &bytes, e) < 0)
		return -1;
	buf_bytes(out, units, bytes);
	buf_u16le(out, 0);
	return 0;
}

static int
hex_data(struct text *t, struct buf *out, uint32_t *type, struct err *e)
{
	BUF_SCOPED struct buf bytes = BUF_EMPTY;

	if (type_in_brackets(t, HV_BINARY, type, e) < 0 ||
	    hex_list(t, &bytes, e) < 0 || buf_ok(&bytes, e) < 0)
		return -1;
	if (t->ansi && (*type == HV_SZ || *type == HV_EXPAND_SZ ||
			*type == HV_MULTI_SZ))
		put_ansi(out, bytes.at, bytes.len);
	else
		buf_bytes(out, bytes.at, bytes.len);
	return 0;
}

/* What stands right of the equals sign, but for "-". */
static int
data(struct text *t, struct buf *out, uint32_t *type, struct err *e)
{
	uint32_t v = 0;

	*type = HV_SZ;
	if (*t->at == '"')
		return string_data(t, out, e);
	if (skip_word(t, "dword:")) {
		*type = HV_DWORD;
		skip_blanks(t);
		if (hex(t, 8, &v, e) < 0)
			return -1;
		buf_u32le(out, v);
		return 0;
	}
	if (skip_word(t, "hex"))
		return hex_data(t, out, type, e);
	if (skip_word(t, "str"))
		return type_in_brackets(t, HV_SZ, type, e) < 0 ? -1 :
			string_data(t, out, e);
	return bad(t, e, "has data of an unknown form");
}

static int
end_of_statement(struct text *t, struct err *e)
{
	skip_blanks(t);
	return at_end_of_line(t) || *t->at == ';' ? 0 :
		bad(t, e, "goes on after its end");
}

static int
value(struct text *t, struct err *e)
{
	BUF_SCOPED struct buf name = BUF_EMPTY;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;
	struct hv_reg r = { .what = HV_REG_VALUE, .line = t->line };

	if (t->path == NULL || t->deleted)
		return bad(t, e, "sets a value without a key");
	if (*t->at == '@')
		t->at++;
	else if (quoted(t, &name, e) < 0)
		return -1;
	SCOPED_FREE char *text = buf_take_str(&name, e);
	if (text == NULL)
		return -1;
	skip_blanks(t);
	if (*t->at != '=')
		return bad(t, e, "lacks an equals sign");
	t->at++;
	skip_blanks(t);
	if (*t->at == '-') {
		t->at++;
		r.what = HV_REG_DELETE_VALUE;
	} else if (data(t, &bytes, &r.data.type, e) < 0) {
		return -1;
	}
	if (end_of_statement(t, e) < 0 || buf_ok(&bytes, e) < 0)
		return -1;
	r.path = t->path;
	r.name = text;
	r.data.at = bytes.at;
	r.data.len = bytes.len;
	return t->each(t->ctx, &r, e);
}

/* ---- keys ----------------------------------------------------------------- */

static int
key(struct text *t, struct err *e)
{
	const char *start = t->at + 1, *stop = NULL;
	size_t line = strcspn(start, "\r\n");

	/* A name may have a bracket in it: the last one of the line ends it. */
	for (size_t i = 0; i < line; i++)
		if (start[i] == ']')
			stop = start + i;
	if (stop == NULL)
		return bad(t, e, "has a key without its bracket");
	t->deleted = *start == '-';
	start += t->deleted;
	free(t->path);
	t->path = mem_strn(start, (size_t)(stop - start), e);
	if (t->path == NULL)
		return -1;
	t->at = stop + 1;
	struct hv_reg r = {
		.what = t->deleted ? HV_REG_DELETE_KEY : HV_REG_KEY,
		.line = t->line, .path = t->path, .name = "",
	};
	if (end_of_statement(t, e) < 0)
		return -1;
	return t->each(t->ctx, &r, e);
}

static void
text_done(const struct text *t)
{
	free(t->path);
}

int
hv_reg_read(const char *name, const void *text, size_t len, hv_reg_fn *each,
	    void *ctx, struct err *e)
{
	SCOPED_FREE char *all = decode(name, text, len, e);
	SCOPED(text_done) struct text t = {
		.name = name, .at = all, .line = 1, .each = each, .ctx = ctx,
	};

	if (all == NULL)
		return -1;
	skip_blanks(&t);
	if (skip_word(&t, "REGEDIT4"))
		t.ansi = true;
	else if (!skip_word(&t, "Windows Registry Editor Version 5.00"))
		t.at = all;
	while (*t.at != '\0') {
		int r = 0;

		skip_blanks(&t);
		if (*t.at == '[')
			r = key(&t, e);
		else if (*t.at == '"' || *t.at == '@')
			r = value(&t, e);
		else if (!at_end_of_line(&t) && *t.at != ';')
			r = bad(&t, e, "is neither key nor value nor comment");
		if (r < 0)
			return -1;
		if (*t.at != '\0')
			next_line(&t);
	}
	return 0;
}

/* ---- carrying out --------------------------------------------------------- */

int
hv_reg_do(struct hv_hive *h, const char *path, const struct hv_reg *r,
	  struct err *e)
{
	struct hv_key *k;

	if (r->what == HV_REG_DELETE_KEY || r->what == HV_REG_DELETE_VALUE) {
		k = hv_find(hv_root(h), path);
		if (k == NULL)
			return 0;
		if (r->what == HV_REG_DELETE_KEY)
			return hv_delete(k, e);
		struct hv_value *v = hv_value(k, r->name);
		if (v != NULL)
			hv_unset(k, v);
		return 0;
	}
	k = hv_create(hv_root(h), path, e);
	if (k == NULL)
		return -1;
	if (r->what == HV_REG_KEY)
		return 0;
	return hv_set(k, r->name, r->data.type, r->data.at, r->data.len, e);
}

static const struct {
	const char *brief, *full;
} roots[] = {
	{ "HKLM", "HKEY_LOCAL_MACHINE" }, { "HKU", "HKEY_USERS" },
	{ "HKCU", "HKEY_CURRENT_USER" }, { "HKCR", "HKEY_CLASSES_ROOT" },
	{ "HKCC", "HKEY_CURRENT_CONFIG" },
};

/* The first name of a path, in full if it is the brief one of a root. */
static const char *
first_name(const char *path, size_t *len)
{
	*len = strcspn(path, "\\");
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (strlen(roots[i].brief) == *len &&
		    strncasecmp(path, roots[i].brief, *len) == 0)
			return roots[i].full;
	return path;
}

char *
hv_reg_full(const char *path, struct err *e)
{
	size_t n;

	path += *path == '\\';
	const char *first = first_name(path, &n);
	return first == path ? mem_str(path, e) :
		mem_fmt(e, "%s%s", first, path + n);
}

static bool
same_name(const char *a, const char *b)
{
	struct err e = ERR_INIT;
	size_t n, m;
	const char *p = first_name(a, &n), *q = first_name(b, &m);
	SCOPED_FREE char *x = mem_strn(p, p == a ? n : strlen(p), &e);
	SCOPED_FREE char *y = mem_strn(q, q == b ? m : strlen(q), &e);

	return x != NULL && y != NULL && utf_same8(x, y);
}

const char *
hv_reg_below(const char *path, const char *prefix)
{
	path += *path == '\\';
	prefix += *prefix == '\\';
	while (*prefix != '\0') {
		if (*path == '\0' || !same_name(path, prefix))
			return NULL;
		path += strcspn(path, "\\");
		prefix += strcspn(prefix, "\\");
		path += *path == '\\';
		prefix += *prefix == '\\';
	}
	return path;
}
