/* yaml_get.c - values out of a YAML tree, and scalars into text
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "base/yaml.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/utf.h"

int
yml_err(const struct yml *at, struct err *e, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_USAGE, "%s:%u: %s", at->file, at->line, what);
}

struct yml *
yml_get(struct yml *map, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; map->kind == YML_MAP && i < map->count; i++) {
		const struct yml *k = &map->keys[i];

		if (k->len == len && memcmp(k->text, key, len) == 0) {
			map->taken[i] = true;
			return &map->at[i];
		}
	}
	return NULL;
}

/* The scalar of a key; NULL when absent or, with *e set, something else. */
static struct yml *
scalar(struct yml *map, const char *key, struct err *e)
{
	struct yml *v = yml_get(map, key);

	if (v != NULL && v->kind != YML_SCALAR) {
		(void)yml_err(v, e, "%s must be one value", key);
		return NULL;
	}
	return v;
}

const char *
yml_str(struct yml *map, const char *key, const char *otherwise, struct err *e)
{
	const struct yml *v = scalar(map, key, e);

	if (v != NULL && memchr(v->text, '\0', v->len) != NULL)
		(void)yml_err(v, e, "%s must not hold a NUL", key);
	if (v != NULL)
		return v->text;
	if (otherwise == YML_NEEDED)
		(void)yml_err(map, e, "%s is missing", key);
	return otherwise;
}

uint64_t
yml_u64(struct yml *map, const char *key, uint64_t min, uint64_t max,
	uint64_t otherwise, struct err *e)
{
	const struct yml *v = scalar(map, key, e);
	uint64_t n = otherwise;

	if (v != NULL && !num_parse(v->text, min, max, true, &n))
		(void)yml_err(v, e, "%s must be a number from %" PRIu64
			      " to %" PRIu64, key, min, max);
	return n;
}

bool
yml_bool(struct yml *map, const char *key, bool otherwise, struct err *e)
{
	static const char *const words[] = { "false", "true", NULL };

	return yml_word(map, key, words, otherwise ? 1 : 0, e) == 1;
}

size_t
yml_word(struct yml *map, const char *key, const char *const *words,
	 size_t otherwise, struct err *e)
{
	const struct yml *v = scalar(map, key, e);
	BUF_SCOPED struct buf all = BUF_EMPTY;

	if (v == NULL)
		return otherwise;
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(v->text, words[i]) == 0)
			return i;
		buf_fmt(&all, "%s%s", i == 0 ? "" : ", ", words[i]);
	}
	(void)yml_err(v, e, "%s must be one of %s", key,
		      all.bad || all.at == NULL ? "?" : (char *)all.at);
	return otherwise;
}

static struct yml *
child(struct yml *map, const char *key, enum yml_kind kind, const char *what,
      struct err *e)
{
	struct yml *v = yml_get(map, key);

	if (v == NULL || v->kind == kind)
		return v;
	(void)yml_err(v, e, "%s must be %s", key, what);
	return NULL;
}

struct yml *
yml_list(struct yml *map, const char *key, struct err *e)
{
	return child(map, key, YML_LIST, "a list", e);
}

struct yml *
yml_map(struct yml *map, const char *key, struct err *e)
{
	return child(map, key, YML_MAP, "a map", e);
}

int
yml_end(struct yml *map, struct err *e)
{
	char shown[128];

	if (e->kind != ERR_NONE)
		return -1;
	if (map->kind != YML_MAP)
		return yml_err(map, e, "must be a map of keys and values");
	for (size_t i = 0; i < map->count; i++)
		if (!map->taken[i])
			return yml_err(&map->keys[i], e, "unknown key %s",
				       err_quote(shown, sizeof(shown),
						 map->keys[i].text,
						 map->keys[i].len));
	return 0;
}

/* May the text stand without quotes, and mean itself? */
static bool
stands_plain(const char *text, size_t len)
{
	static const char *const reserved[] = { "true", "false", "null", "yes",
						"no", "on", "off", "y", "n" };
	const char *safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "0123456789_./\\+-";

	if (len == 0 || strspn(text, safe) != len || strchr("-.", *text) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(text, reserved[i]) == 0)
			return false;
	return true;
}

/* One character of a double-quoted scalar; YAML takes the printable ones. */
static void
put_quoted(struct buf *out, const uint8_t *p, size_t len, uint32_t c)
{
	if (c == '"' || c == '\\')
		buf_fmt(out, "\\%c", (int)c);
	else if (c == '\n')
		buf_str(out, "\\n");
	else if (c == '\t')
		buf_str(out, "\\t");
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		buf_fmt(out, "\\x%02x", c);
	else if (c == 0xfeff || c == 0xfffe || c == 0xffff)
		buf_fmt(out, "\\u%04x", c);
	else
		buf_bytes(out, p, len);
}

/* Single quotes keep backslashes readable, where nothing needs an escape. */
static bool
stands_quoted(const uint8_t *text, size_t len)
{
	bool backslash = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '\'')
			return false;
		backslash = backslash || text[i] == '\\';
	}
	return backslash;
}

void
yml_put_scalarn(struct buf *out, const void *text, size_t len)
{
	const uint8_t *p = text;

	if (memchr(text, '\0', len) == NULL && stands_plain(text, len)) {
		buf_bytes(out, text, len);
		return;
	}
	if (stands_quoted(p, len)) {
		buf_u8(out, '\'');
		buf_bytes(out, text, len);
		buf_u8(out, '\'');
		return;
	}
	buf_u8(out, '"');
	while (len > 0) {
		uint32_t c = 0;
		size_t n = utf_next8(p, len, &c);

		if (n == 0) {
			n = 1;
			c = *p;
		}
		put_quoted(out, p, n, c);
		p += n;
		len -= n;
	}
	buf_u8(out, '"');
}

void
yml_put_scalar(struct buf *out, const char *text)
{
	yml_put_scalarn(out, text, strlen(text));
}
