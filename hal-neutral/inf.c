/* inf.c - see inf.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hal-neutral/inf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

void
hn_inf_done(struct hn_inf *inf)
{
	for (size_t i = 0; i < inf->sections; i++) {
		struct hn_inf_section *s = &inf->at[i];

		for (size_t l = 0; l < s->lines; l++) {
			for (size_t f = 0; f < s->line[l].fields; f++)
				free(s->line[l].field[f]);
			free(s->line[l].field);
			free(s->line[l].key);
		}
		free(s->line);
		free(s->name);
	}
	free(inf->at);
	*inf = (struct hn_inf)HN_INF_EMPTY;
}

/* ---- bytes to lines ---- */

/* The file's text as UTF-8, which the caller frees. */
static char *
decode(const uint8_t *at, size_t len, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (len >= 2 && at[0] == 0xff && at[1] == 0xfe)
		return utf_from16(at + 2, len - 2, e);
	if (len >= 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf) {
		at += 3;
		len -= 3;
	}
	if (utf_valid8(at, len))
		return mem_strn(at, len, e);
	for (size_t i = 0; i < len; i++) {
		if (at[i] >= 0x80)
			buf_u8(&b, (uint8_t)(0xc0 | at[i] >> 6));
		buf_u8(&b, at[i] < 0x80 ? at[i] :
		       (uint8_t)(0x80 | (at[i] & 0x3f)));
	}
	return buf_take_str(&b, e);
}

/* Cut comment and surrounding space; where the line ends without them. */
static size_t
trim(const char **line, size_t len)
{
	bool quoted = false;
	size_t end = 0;

	for (; end < len; end++) {
		if ((*line)[end] == '"')
			quoted = !quoted;
		if ((*line)[end] == ';' && !quoted)
			break;
	}
	while (end > 0 && strchr(" \t\r\032", (*line)[end - 1]) != NULL)
		end--;
	while (end > 0 && strchr(" \t", **line) != NULL) {
		(*line)++;
		end--;
	}
	return end;
}

/* The next logical line, joined where it goes on, into *out; NULL at the end
 * of the text, else what follows. */
static const char *
next_line(const char *text, struct buf *out)
{
	out->len = 0;
	if (*text == '\0')
		return NULL;
	for (;;) {
		size_t len = strcspn(text, "\n"), n;
		const char *line = text;

		text += len + (text[len] == '\n');
		n = trim(&line, len);
		if (n == 0 || line[n - 1] != '\\' || *text == '\0') {
			buf_bytes(out, line, n);
			return text;
		}
		buf_bytes(out, line, n - 1);
	}
}

/* ---- lines to fields ---- */

/* One field from *s up to the comma; steps over that. */
static char *
take_field(const char **s, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	bool quoted = false;
	const char *at = *s;
	size_t keep = 0;		/* what ends in quotes is not trimmed */

	while (strchr(" \t", *at) != NULL && *at != '\0')
		at++;
	for (; *at != '\0' && (quoted || *at != ','); at++) {
		if (*at == '"' && quoted && at[1] == '"') {
			buf_u8(&b, '"');
			at++;
		} else if (*at == '"') {
			quoted = !quoted;
			keep = b.len;
		} else {
			buf_u8(&b, (uint8_t)*at);
		}
	}
	*s = at + (*at == ',');
	while (b.len > keep && strchr(" \t", b.at[b.len - 1]) != NULL)
		b.len--;
	if (b.at != NULL)
		b.at[b.len] = '\0';
	return buf_take_str(&b, e);
}

/* Where an unquoted '=' is; NULL. */
static const char *
equals(const char *s)
{
	bool quoted = false;

	for (; *s != '\0'; s++) {
		if (*s == '"')
			quoted = !quoted;
		if (*s == '=' && !quoted)
			return s;
	}
	return NULL;
}

static int
add_line(struct hn_inf_section *sect, const char *text, struct err *e)
{
	const char *eq = equals(text);
	struct hn_inf_line *l;
	size_t cap = 0;
	bool more;

	if (mem_grow(&sect->line, &sect->cap, sect->lines + 1,
		     sizeof(*sect->line), e) < 0)
		return -1;
	l = &sect->line[sect->lines++];
	if (eq != NULL) {
		SCOPED_FREE char *raw = mem_strn(text, (size_t)(eq - text), e);
		const char *at = raw;

		l->key = raw != NULL ? take_field(&at, e) : NULL;
		if (l->key == NULL)
			return -1;
		text = eq + 1;
	}
	do {
		const char *comma = text;

		if (l->fields == HN_INF_FIELDS)
			return err_set(e, ERR_CORRUPT, "a line with more than "
				       "%d fields", HN_INF_FIELDS);
		if (mem_grow(&l->field, &cap, l->fields + 1,
			     sizeof(*l->field), e) < 0)
			return -1;
		l->field[l->fields] = take_field(&text, e);
		if (l->field[l->fields] == NULL)
			return -1;
		l->fields++;
		more = *text != '\0' || (text > comma && text[-1] == ',');
	} while (more && *text != '\0');
	return 0;
}

static struct hn_inf_section *
open_section(struct hn_inf *inf, const char *text, struct err *e)
{
	size_t len = strcspn(text + 1, "]");
	SCOPED_FREE char *name = mem_strn(text + 1, len, e);
	struct hn_inf_section *s;

	if (name == NULL)
		return NULL;
	for (size_t i = 0; i < inf->sections; i++)
		if (utf_same8(inf->at[i].name, name))
			return &inf->at[i];
	if (mem_grow(&inf->at, &inf->cap, inf->sections + 1,
		     sizeof(*inf->at), e) < 0)
		return NULL;
	s = &inf->at[inf->sections++];
	s->name = TAKE(name);
	return s;
}

static int
parse(const char *text, struct hn_inf *inf, struct err *e)
{
	BUF_SCOPED struct buf line = BUF_EMPTY;
	struct hn_inf_section *sect = NULL;
	size_t lines = 0;

	while ((text = next_line(text, &line)) != NULL) {
		if (buf_ok(&line, e) < 0)
			return -1;
		if (++lines > HN_INF_LINES)
			return err_set(e, ERR_CORRUPT, "more than %d lines",
				       HN_INF_LINES);
		if (line.len == 0)
			continue;
		buf_u8(&line, 0);
		if (buf_ok(&line, e) < 0)
			return -1;
		if (line.at[0] == '[') {
			sect = open_section(inf, (const char *)line.at, e);
			if (sect == NULL)
				return -1;
		} else if (sect != NULL &&
			   add_line(sect, (const char *)line.at, e) < 0) {
			return -1;
		}
	}
	return 0;
}

int
hn_inf_parse(const char *name, const void *at, size_t len, struct hn_inf *ret,
	     struct err *e)
{
	HN_INF_SCOPED struct hn_inf inf = HN_INF_EMPTY;
	SCOPED_FREE char *text = NULL;

	if (len > HN_INF_BYTES)
		return err_set(e, ERR_CORRUPT, "%s: larger than %d bytes", name,
			       HN_INF_BYTES);
	text = decode(at, len, e);
	if (text == NULL)
		return -1;
	if (parse(text, &inf, e) < 0)
		return err_ctx(e, "%s", name);
	if (hn_inf_section(&inf, "Version") == NULL)
		return err_set(e, ERR_CORRUPT, "%s: has no [Version]", name);
	*ret = TAKE(inf);
	return 0;
}

/* ---- looking up ---- */

const struct hn_inf_section *
hn_inf_section(const struct hn_inf *inf, const char *name)
{
	for (size_t i = 0; i < inf->sections; i++)
		if (utf_same8(inf->at[i].name, name))
			return &inf->at[i];
	return NULL;
}

const struct hn_inf_line *
hn_inf_line(const struct hn_inf_section *s, const char *key)
{
	for (size_t i = 0; s != NULL && i < s->lines; i++)
		if (s->line[i].key != NULL && utf_same8(s->line[i].key, key))
			return &s->line[i];
	return NULL;
}

/* The string called by the len bytes at name; NULL. */
static const char *
string_of(const struct hn_inf *inf, const char *name, size_t len)
{
	const struct hn_inf_section *s = hn_inf_section(inf, "Strings");

	for (size_t i = 0; s != NULL && i < s->lines; i++) {
		const struct hn_inf_line *l = &s->line[i];

		if (l->key != NULL && strlen(l->key) == len &&
		    strncasecmp(l->key, name, len) == 0)
			return l->fields > 0 ? l->field[0] : "";
	}
	return NULL;
}

char *
hn_inf_text(const struct hn_inf *inf, const char *text, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (const char *s = text != NULL ? text : ""; *s != '\0';) {
		size_t len = *s == '%' ? strcspn(s + 1, "%") : 0;
		const char *value = NULL;

		if (*s != '%' || s[1 + len] != '%') {
			buf_u8(&b, (uint8_t)*s++);
			continue;
		}
		value = len == 0 ? "%" : string_of(inf, s + 1, len);
		if (value != NULL)
			buf_str(&b, value);
		else
			buf_bytes(&b, s, len + 2);
		s += len + 2;
	}
	return buf_take_str(&b, e);
}

char *
hn_inf_field(const struct hn_inf *inf, const struct hn_inf_line *l, size_t n,
	     struct err *e)
{
	return hn_inf_text(inf, l != NULL && n < l->fields ? l->field[n] : "",
			   e);
}

int
hn_inf_number(const struct hn_inf *inf, const struct hn_inf_line *l, size_t n,
	      uint32_t otherwise, uint32_t *ret, struct err *e)
{
	SCOPED_FREE char *text = hn_inf_field(inf, l, n, e);
	uint64_t v;

	if (text == NULL)
		return -1;
	*ret = num_parse(text, 0, UINT32_MAX, false, &v) ? (uint32_t)v :
	       otherwise;
	return 0;
}
