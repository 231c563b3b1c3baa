/* parse.c - the sides of an entry, from text
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The forms are those that text.c writes; nothing else is taken.
 */
#include "change/change-private.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"
#include "base/yaml.h"

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
cs_get_hex(const char *text, uint8_t **ret, size_t *ret_len, struct err *e)
{
	size_t len = strlen(text);
	SCOPED_FREE uint8_t *out = mem_array(len / 2 + 1, 1, e);

	if (out == NULL)
		return -1;
	if (len % 2 != 0)
		return err_set(e, ERR_USAGE, "half a byte of hexadecimal");
	for (size_t i = 0; i < len / 2; i++) {
		int hi = nibble(text[2 * i]), lo = nibble(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return err_set(e, ERR_USAGE,
				       "not lower-case hexadecimal");
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret_len = len / 2;
	*ret = TAKE(out);
	return 0;
}

/* The words of a side: y->at[0..count), all scalars without NUL. */
struct words {
	const struct yml *y;
	size_t next;
};

/* The next word, or NULL with the error set. */
static const char *
word(struct words *w, struct err *e)
{
	if (w->next == w->y->count) {
		(void)yml_err(w->y, e, "too few words");
		return NULL;
	}
	return w->y->at[w->next++].text;
}

static int
no_more(const struct words *w, struct err *e)
{
	if (w->next == w->y->count)
		return 0;
	return yml_err(w->y, e, "more words than wanted");
}

static int
number(struct words *w, uint64_t max, uint64_t *ret, struct err *e)
{
	const char *s = word(w, e);

	if (s == NULL)
		return -1;
	if (!num_parse(s, 0, max, false, ret))
		return yml_err(w->y, e, "a number from 0 to %llu is wanted",
				(unsigned long long)max);
	return 0;
}

static int
hex(struct words *w, struct cs_side *s, struct err *e)
{
	const char *text = word(w, e);
	SCOPED_FREE uint8_t *data = NULL;
	size_t len;

	if (text == NULL || cs_get_hex(text, &data, &len, e) < 0)
		return yml_err(w->y, e, "lower-case hexadecimal is wanted");
	return cs_side_set(s, CS_INLINE, s->type, data, len, e);
}

static int
digest(struct words *w, struct cs_side *s, struct err *e)
{
	SCOPED_FREE uint8_t *data = NULL;
	size_t len;
	const char *text;

	if (number(w, INT64_MAX, &s->size, e) < 0)
		return -1;
	text = word(w, e);
	if (text == NULL || cs_get_hex(text, &data, &len, e) < 0 ||
	    len != CS_HASH_BYTES)
		return yml_err(w->y, e, "a SHA-256 is wanted");
	memcpy(s->hash, data, CS_HASH_BYTES);
	return no_more(w, e);
}

/* ---- values ---- */

static int
put16(struct buf *b, struct words *w, struct err *e)
{
	const char *text = word(w, e);
	SCOPED_FREE uint8_t *units = NULL;
	size_t len;

	if (text == NULL || utf_to16(text, &units, &len, e) < 0)
		return -1;
	buf_bytes(b, units, len);
	buf_u16le(b, 0);
	return 0;
}

static int
value_text(struct words *w, struct cs_side *s, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	bool multi = s->type == CS_REG_MULTI_SZ;

	do {
		if (multi && w->next == w->y->count)
			break;
		if (put16(&b, w, e) < 0)
			return -1;
	} while (multi);
	if (multi)
		buf_u16le(&b, 0);
	if (buf_ok(&b, e) < 0)
		return -1;
	return cs_side_set(s, CS_INLINE, s->type, b.at, b.len, e);
}

static int
value_number(struct words *w, struct cs_side *s, struct err *e)
{
	bool wide = s->type == CS_REG_QWORD;
	uint8_t raw[8];
	uint64_t v;

	if (number(w, wide ? UINT64_MAX : UINT32_MAX, &v, e) < 0)
		return -1;
	num_put_u64le(raw, v);
	return cs_side_set(s, CS_INLINE, s->type, raw, wide ? 8 : 4, e);
}

static int
typed(struct words *w, uint32_t type, struct cs_side *s, struct err *e)
{
	int r;

	s->type = type;
	switch (type) {
	case CS_REG_SZ:
	case CS_REG_EXPAND_SZ:
	case CS_REG_MULTI_SZ:
		r = value_text(w, s, e);
		break;
	case CS_REG_DWORD:
	case CS_REG_QWORD:
		r = value_number(w, s, e);
		break;
	case CS_REG_BINARY:
		r = hex(w, s, e);
		break;
	default:
		return yml_err(w->y, e, "[hex, %u, ...] is wanted", type);
	}
	return r < 0 ? -1 : no_more(w, e);
}

/* ---- sides ---- */

static int
find(const char *const *table, const char *w)
{
	for (int i = 0; table[i] != NULL; i++)
		if (strcmp(table[i], w) == 0)
			return i;
	return -1;
}

static int
from(struct words *w, enum cs_kind kind, enum cs_origin origin,
     struct cs_side *s, struct err *e)
{
	const char *path = word(w, e);
	uint64_t type = 0;

	if (path == NULL)
		return -1;
	s->have = CS_FROM;
	s->origin = origin;
	s->path = mem_str(path, e);
	if (s->path == NULL)
		return -1;
	if (origin == CS_CABINET) {
		const char *member = word(w, e);

		s->member = member != NULL ? mem_str(member, e) : NULL;
		if (s->member == NULL)
			return -1;
	}
	if (kind == CS_VALUE && number(w, UINT32_MAX, &type, e) < 0)
		return -1;
	s->type = (uint32_t)type;
	return digest(w, s, e);
}

static int
hashed(struct words *w, enum cs_kind kind, struct cs_side *s, struct err *e)
{
	uint64_t type = 0;

	s->have = CS_HASHED;
	if (kind == CS_VALUE && number(w, UINT32_MAX, &type, e) < 0)
		return -1;
	s->type = (uint32_t)type;
	return digest(w, s, e);
}

static int
tagged(struct words *w, struct cs_side *s, struct err *e)
{
	uint64_t tag;

	if (number(w, UINT32_MAX, &tag, e) < 0)
		return -1;
	s->type = (uint32_t)tag;
	return hex(w, s, e) < 0 ? -1 : no_more(w, e);
}

static int
text(struct words *w, struct cs_side *s, struct err *e)
{
	const struct yml *y = &w->y->at[w->next];

	if (word(w, e) == NULL || no_more(w, e) < 0)
		return -1;
	return cs_side_set(s, CS_INLINE, 0, y->text, y->len, e);
}

static int
one_list(struct words *w, enum cs_kind kind, bool old, struct cs_side *s,
	 struct err *e)
{
	const char *first = word(w, e);
	bool content = kind == CS_FILE || kind == CS_STREAM || kind == CS_VALUE;
	int n;

	if (first == NULL)
		return -1;
	if (old && strcmp(first, "sha256") == 0)
		return hashed(w, kind, s, e);
	n = find(cs_origin_words, first);
	if (!old && content && n >= 0)
		return from(w, kind, (enum cs_origin)n, s, e);
	if (kind == CS_VALUE) {
		n = find(cs_type_words, first);
		if (n >= 0)
			return typed(w, (uint32_t)n, s, e);
		if (strcmp(first, "hex") == 0)
			return tagged(w, s, e);
	} else if (strcmp(first, "bytes") == 0) {
		return hex(w, s, e) < 0 ? -1 : no_more(w, e);
	} else if (strcmp(first, "text") == 0 && kind != CS_BYTES &&
		   kind != CS_REPARSE) {
		return text(w, s, e);
	}
	return yml_err(w->y, e, "\"%s\" says nothing about a %s here", first,
			cs_kind_word(kind));
}

/* Every element a scalar, and only content may hold a NUL. */
static int
scalars(const struct yml *y, struct err *e)
{
	for (size_t i = 0; i < y->count; i++) {
		const struct yml *w = &y->at[i];

		if (w->kind != YML_SCALAR)
			return yml_err(w, e, "a word is wanted");
		if (strlen(w->text) != w->len &&
		    (i != 1 || strcmp(y->at[0].text, "text") != 0))
			return yml_err(w, e, "a word with a NUL");
	}
	return 0;
}

int
cs_get_side(const struct yml *y, enum cs_kind kind, bool old,
	    struct cs_side *ret, struct err *e)
{
	struct words w = { .y = y };
	SCOPED(cs_side_done) struct cs_side s = { .have = CS_ABSENT };
	bool thing = kind == CS_DIRECTORY || kind == CS_KEY;

	if (y->kind == YML_LIST) {
		/* A key that goes is known by the hash of its subtree. */
		if (thing && (!old || kind != CS_KEY))
			return yml_err(y, e, "present or absent is wanted");
		if (scalars(y, e) < 0 || one_list(&w, kind, old, &s, e) < 0)
			return -1;
	} else if (y->kind == YML_SCALAR && thing &&
		   strcmp(y->text, "present") == 0) {
		if (cs_side_set(&s, CS_INLINE, 0, NULL, 0, e) < 0)
			return -1;
	} else if (y->kind != YML_SCALAR || strcmp(y->text, "absent") != 0) {
		return yml_err(y, e, "a list of words or absent is wanted");
	}
	*ret = TAKE(s);
	return 0;
}
