/* typed.c - values as strings and numbers
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "hive/hive-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf.h"

static int
wrong(const char *name, const char *what, struct err *e)
{
	char quoted[128];

	return err_set(e, ERR_CORRUPT, "value %s %s",
		       err_quote(quoted, sizeof(quoted), name, strlen(name)),
		       what);
}

/* The units before the first NUL, or all. */
static struct cur
string_of(struct cur *c)
{
	struct cur rest = *c;
	size_t n = 0;

	while (cur_left(&rest) >= 2 && cur_u16le(&rest) != 0)
		n += 2;
	return cur_sub(c, n);
}

int
hv_get_str(const struct hv_key *k, const char *name, char **ret, struct err *e)
{
	const struct hv_value *v = hv_value(k, name);

	if (v == NULL)
		return 0;
	if (v->type != HV_SZ && v->type != HV_EXPAND_SZ && v->type != HV_LINK)
		return wrong(name, "is no string", e);
	if (v->len % 2 != 0)
		return wrong(name, "is a string of an odd number of bytes", e);
	struct cur c = cur_over("string", v->data, v->len);
	struct cur s = string_of(&c);
	char *text = utf_from16(s.at, cur_left(&s), e);
	if (text == NULL)
		return -1;
	*ret = text;
	return 1;
}

int
hv_get_dword(const struct hv_key *k, const char *name, uint32_t *ret,
	     struct err *e)
{
	const struct hv_value *v = hv_value(k, name);

	if (v == NULL)
		return 0;
	if ((v->type != HV_DWORD && v->type != HV_DWORD_BE) || v->len != 4)
		return wrong(name, "is no DWORD", e);
	struct cur c = cur_over("dword", v->data, v->len);
	uint32_t n = cur_u32le(&c);
	*ret = v->type == HV_DWORD ? n : __builtin_bswap32(n);
	return 1;
}

int
hv_get_qword(const struct hv_key *k, const char *name, uint64_t *ret,
	     struct err *e)
{
	const struct hv_value *v = hv_value(k, name);

	if (v == NULL)
		return 0;
	if (v->type != HV_QWORD || v->len != 8)
		return wrong(name, "is no QWORD", e);
	struct cur c = cur_over("qword", v->data, v->len);
	*ret = cur_u64le(&c);
	return 1;
}

void
hv_strings_done(struct hv_strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->at[i]);
	free(s->at);
	*s = (struct hv_strings)HV_STRINGS_EMPTY;
}

int
hv_get_multi(const struct hv_key *k, const char *name, struct hv_strings *ret,
	     struct err *e)
{
	HV_STRINGS_SCOPED struct hv_strings list = HV_STRINGS_EMPTY;
	const struct hv_value *v = hv_value(k, name);
	size_t cap = 0;

	if (v == NULL)
		return 0;
	if (v->type != HV_MULTI_SZ)
		return wrong(name, "is no list of strings", e);
	if (v->len % 2 != 0)
		return wrong(name, "is a list of an odd number of bytes", e);
	struct cur c = cur_over("strings", v->data, v->len);
	for (;;) {
		struct cur s = string_of(&c);

		if (cur_left(&s) == 0)
			break;
		if (mem_grow(&list.at, &cap, list.count + 1,
			     sizeof(*list.at), e) < 0)
			return -1;
		list.at[list.count] = utf_from16(s.at, cur_left(&s), e);
		if (list.at[list.count] == NULL)
			return -1;
		list.count++;
		if (cur_left(&c) >= 2)
			(void)cur_u16le(&c);
	}
	*ret = TAKE(list);
	return 1;
}

/* ---- setting -------------------------------------------------------------- */

static int
put_text(struct buf *b, const char *text, struct err *e)
{
	SCOPED_FREE uint8_t *units = NULL;
	size_t bytes;

	if (utf_to16(text, &units, &bytes, e) < 0)
		return -1;
	buf_bytes(b, units, bytes);
	return 0;
}

static int
set_buf(struct hv_key *k, const char *name, uint32_t type, const struct buf *b,
	struct err *e)
{
	if (buf_ok(b, e) < 0)
		return -1;
	return hv_set(k, name, type, b->at, b->len, e);
}

int
hv_set_str(struct hv_key *k, const char *name, uint32_t type, const char *text,
	   struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (put_text(&b, text, e) < 0)
		return -1;
	if (type != HV_LINK)
		buf_u16le(&b, 0);
	return set_buf(k, name, type, &b, e);
}

int
hv_set_dword(struct hv_key *k, const char *name, uint32_t v, struct err *e)
{
	uint8_t b[4];

	num_put_u32le(b, v);
	return hv_set(k, name, HV_DWORD, b, sizeof(b), e);
}

int
hv_set_qword(struct hv_key *k, const char *name, uint64_t v, struct err *e)
{
	uint8_t b[8];

	num_put_u64le(b, v);
	return hv_set(k, name, HV_QWORD, b, sizeof(b), e);
}

int
hv_set_multi(struct hv_key *k, const char *name, const char *const *strings,
	     size_t count, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (size_t i = 0; i < count; i++) {
		if (strings[i][0] == '\0')
			return err_set(e, ERR_USAGE,
				       "a list of strings cannot hold an empty one");
		if (put_text(&b, strings[i], e) < 0)
			return -1;
		buf_u16le(&b, 0);
	}
	buf_u16le(&b, 0);
	return set_buf(k, name, HV_MULTI_SZ, &b, e);
}
