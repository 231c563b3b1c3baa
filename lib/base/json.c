/* json.c - see json.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A struct js is a jansson value in disguise.  jansson itself leaves out what
 * it cannot add for want of memory; js_lost remembers that.
 */
#include "base/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf.h"

/* Was anything left out of the document that this thread is building? */
static _Thread_local bool js_lost;

static json_t *
value_of(const struct js *j)
{
	union {
		const struct js *in;
		json_t *out;
	} u = { .in = j };

	return u.out;
}

static struct js *
js_of(json_t *v)
{
	return (struct js *)v;
}

static struct js *
put(struct js *j, const char *name, json_t *v)
{
	if (j == NULL || v == NULL ||
	    json_object_set_new(value_of(j), name, v) < 0) {
		js_lost = true;
		return NULL;
	}
	return js_of(v);
}

static struct js *
append(struct js *list, json_t *v)
{
	if (list == NULL || v == NULL ||
	    json_array_append_new(value_of(list), v) < 0) {
		js_lost = true;
		return NULL;
	}
	return js_of(v);
}

struct js *
js_new(const char *format, int version, struct err *e)
{
	struct js *j = js_of(json_object());

	js_lost = false;
	if (j == NULL) {
		(void)err_set(e, ERR_NOMEM, "no memory for a document");
		return NULL;
	}
	js_str(j, "format", format);
	js_i64(j, "version", version);
	return j;
}

void
js_done(struct js *const *j)
{
	json_decref(value_of(*j));
}

struct js *
js_object(struct js *j, const char *name)
{
	return put(j, name, json_object());
}

struct js *
js_list(struct js *j, const char *name)
{
	return put(j, name, json_array());
}

/* A string value; bytes that are not UTF-8 are shown as \xNN. */
static json_t *
string(const void *text, size_t len)
{
	char shown[1024];

	if (utf_valid8(text, len))
		return json_stringn(text, len);
	return json_string(err_quote(shown, sizeof(shown), text, len));
}

void
js_strn(struct js *j, const char *name, const void *value, size_t len)
{
	(void)put(j, name, string(value, len));
}

void
js_str(struct js *j, const char *name, const char *value)
{
	(void)put(j, name, value == NULL ? json_null() :
					   string(value, strlen(value)));
}

void
js_i64(struct js *j, const char *name, int64_t value)
{
	(void)put(j, name, json_integer(value));
}

/* JSON readers differ above 2^63; such a number is never a size of ours. */
void
js_u64(struct js *j, const char *name, uint64_t value)
{
	js_i64(j, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void
js_bool(struct js *j, const char *name, bool value)
{
	(void)put(j, name, json_boolean(value));
}

void
js_hex(struct js *j, const char *name, const void *value, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *p = value;
	BUF_SCOPED struct buf b = BUF_EMPTY;

	for (size_t i = 0; i < len; i++) {
		buf_u8(&b, (uint8_t)digit[p[i] >> 4]);
		buf_u8(&b, (uint8_t)digit[p[i] & 15]);
	}
	js_strn(j, name, b.at, b.bad ? 0 : b.len);
	js_lost |= b.bad;
}

struct js *
js_item(struct js *list)
{
	return append(list, json_object());
}

void
js_item_str(struct js *list, const char *value)
{
	(void)append(list, string(value, strlen(value)));
}

char *
js_text(const struct js *j, struct err *e)
{
	char *text = js_lost ? NULL :
			       json_dumps(value_of(j), JSON_INDENT(2));

	if (text == NULL)
		(void)err_set(e, ERR_NOMEM, "no memory for a document");
	return text;
}

int
js_print(const struct js *j, FILE *out, struct err *e)
{
	SCOPED_FREE char *text = js_text(j, e);

	if (text == NULL)
		return -1;
	if (fprintf(out, "%s\n", text) < 0)
		return err_sys(e, "output");
	return 0;
}

struct js *
js_parse(const void *text, size_t len, struct err *e)
{
	json_error_t why;
	json_t *v = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);

	if (v == NULL)
		(void)err_set(e, ERR_CORRUPT, "line %d: not JSON", why.line);
	return js_of(v);
}

struct js *
js_get(const struct js *j, const char *name)
{
	return js_of(json_object_get(value_of(j), name));
}

size_t
js_count(const struct js *list)
{
	return json_array_size(value_of(list));
}

struct js *
js_at(const struct js *list, size_t i)
{
	return js_of(json_array_get(value_of(list), i));
}

const char *
js_get_str(const struct js *j, const char *name)
{
	return json_string_value(json_object_get(value_of(j), name));
}

bool
js_get_u64(const struct js *j, const char *name, uint64_t *ret)
{
	const json_t *v = json_object_get(value_of(j), name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

bool
js_get_bool(const struct js *j, const char *name, bool *ret)
{
	const json_t *v = json_object_get(value_of(j), name);

	if (!json_is_boolean(v))
		return false;
	*ret = json_is_true(v);
	return true;
}
