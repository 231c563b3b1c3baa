/* rewrite.c - see rewrite.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/rewrite.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

static void
prefix_done(struct pm_prefix *p)
{
	for (size_t i = 0; i < p->parts; i++) {
		free(p->part[i].name);
		free(p->part[i].short_name);
	}
	free(p->part);
	free(p->to);
}

void
pm_rewrite_done(struct pm_rewrite *rw)
{
	for (size_t i = 0; i < rw->count; i++)
		prefix_done(&rw->at[i]);
	for (size_t i = 0; i < rw->aliases; i++) {
		free(rw->alias[i].path);
		free(rw->alias[i].short_name);
	}
	free(rw->at);
	free(rw->alias);
	*rw = (struct pm_rewrite)PM_REWRITE_EMPTY;
}

int
pm_rewrite_alias(struct pm_rewrite *rw, const char *path,
		 const char *short_name, struct err *e)
{
	struct pm_alias *a;

	if (mem_grow(&rw->alias, &rw->alias_cap, rw->aliases + 1,
		     sizeof(*rw->alias), e) < 0)
		return -1;
	a = &rw->alias[rw->aliases++];
	a->path = mem_str(path, e);
	a->short_name = mem_str(short_name, e);
	return a->path == NULL || a->short_name == NULL ? -1 : 0;
}

/* The components of `from`, each with the short name that is known for the
 * path up to it. */
static int
split(const struct pm_rewrite *rw, const char *from, struct pm_prefix *p,
      struct err *e)
{
	const char *at = from;

	p->part = mem_array(PM_REWRITE_PARTS, sizeof(*p->part), e);
	if (p->part == NULL)
		return -1;
	while (*at != '\0') {
		size_t n = strcspn(at, "\\/");
		SCOPED_FREE char *upto = NULL;
		struct pm_part *part;

		if (n == 0) {
			at++;
			continue;
		}
		if (p->parts == PM_REWRITE_PARTS)
			return err_set(e, ERR_UNSUPPORTED,
				       "%s: more than %d folders deep", from,
				       PM_REWRITE_PARTS);
		part = &p->part[p->parts++];
		part->name = mem_strn(at, n, e);
		at += n;
		upto = mem_strn(from, (size_t)(at - from), e);
		if (part->name == NULL || upto == NULL)
			return -1;
		for (size_t i = 0; i < rw->aliases; i++)
			if (part->short_name == NULL &&
			    utf_same8(rw->alias[i].path, upto)) {
				part->short_name =
					mem_str(rw->alias[i].short_name, e);
				if (part->short_name == NULL)
					return -1;
			}
	}
	return 0;
}

static bool
same_parts(const struct pm_prefix *a, const struct pm_prefix *b)
{
	if (a->parts != b->parts)
		return false;
	for (size_t i = 0; i < a->parts; i++)
		if (!utf_same8(a->part[i].name, b->part[i].name))
			return false;
	return true;
}

int
pm_rewrite_add(struct pm_rewrite *rw, const char *from, const char *to,
	       struct err *e)
{
	struct pm_prefix *p;

	if (mem_grow(&rw->at, &rw->cap, rw->count + 1, sizeof(*rw->at), e) < 0)
		return -1;
	p = &rw->at[rw->count];
	*p = (struct pm_prefix){ .parts = 0 };
	rw->count++;
	p->to = mem_str(to, e);
	if (p->to == NULL || split(rw, from, p, e) < 0)
		return -1;
	for (size_t i = 0; i + 1 < rw->count; i++)
		if (same_parts(&rw->at[i], p)) {
			prefix_done(p);
			rw->count--;
			return 0;
		}
	return 0;
}

static int
longer_first(const void *a, const void *b)
{
	const struct pm_prefix *x = a, *y = b;

	return x->parts < y->parts ? 1 : x->parts > y->parts ? -1 : 0;
}

void
pm_rewrite_sort(struct pm_rewrite *rw)
{
	mem_sort(rw->at, rw->count, sizeof(*rw->at), longer_first);
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte at *p, which moves behind it; %20 is one byte in a URL. */
static unsigned char
next_byte(const char **p, bool url)
{
	unsigned char c = (unsigned char)**p;

	if (url && c == '%' && hex((*p)[1]) >= 0 && hex((*p)[2]) >= 0) {
		c = (unsigned char)(hex((*p)[1]) << 4 | hex((*p)[2]));
		*p += 3;
	} else if (c != '\0') {
		(*p)++;
	}
	return c;
}

/* Does the text begin with this name?  Where it ends, or NULL. */
static const char *
match_name(const char *text, const char *name, bool url)
{
	SCOPED_FREE char *got = NULL;
	const char *p = text;
	struct err none = ERR_INIT;
	size_t n = strlen(name), have = 0;

	/* Gather as many bytes as the name has, then compare as Windows does. */
	got = mem_array(n + 1, 1, &none);
	if (got == NULL)
		return NULL;
	while (have < n && *p != '\0')
		got[have++] = (char)next_byte(&p, url);
	return have == n && utf_same8(got, name) ? p : NULL;
}

static bool
is_slash(char c)
{
	return c == '\\' || c == '/';
}

/* May a path end here?  Inside a text: at what cannot continue a name. */
static bool
ends(char c)
{
	return c == '\0' || is_slash(c) || strchr("\"';|,<>()[]{}\t\r\n?*", c);
}

/* Where the prefix ends in the text, or NULL. */
static const char *
match(const struct pm_prefix *p, const char *text, bool url)
{
	for (size_t i = 0; i < p->parts; i++) {
		const struct pm_part *part = &p->part[i];
		const char *end;

		if (i > 0) {
			if (!is_slash(*text))
				return NULL;
			while (is_slash(*text))
				text++;
		}
		end = match_name(text, part->name, url);
		if (end == NULL || !ends(*end))
			end = part->short_name == NULL ? NULL :
				match_name(text, part->short_name, url);
		if (end == NULL || !ends(*end))
			return NULL;
		text = end;
	}
	return text;
}

static void
put_path(struct buf *out, const char *path, bool forward, bool url,
	 bool doubled)
{
	for (; *path != '\0'; path++) {
		if (*path == '\\' && forward)
			buf_u8(out, '/');
		else if (*path == '\\' && doubled)
			buf_str(out, "\\\\");
		else if (url && (*path == ' ' || *path == '%' ||
				 (unsigned char)*path >= 0x80))
			buf_fmt(out, "%%%02X", (unsigned char)*path);
		else
			buf_u8(out, (uint8_t)*path);
	}
}

/* The longest prefix that matches here; its end in *ret_end. */
static const struct pm_prefix *
longest(const struct pm_rewrite *rw, const char *text, bool url,
	const char **ret_end)
{
	for (size_t i = 0; i < rw->count; i++) {
		const char *end = match(&rw->at[i], text, url);

		if (end != NULL) {
			*ret_end = end;
			return &rw->at[i];
		}
	}
	return NULL;
}

/* Could a path begin at text[i]? */
static bool
begins(const char *text, size_t i)
{
	if (text[i] == '%')
		return true;
	if (!isalpha((unsigned char)text[i]) || text[i + 1] != ':' ||
	    !is_slash(text[i + 2]))
		return false;
	return i == 0 || !isalnum((unsigned char)text[i - 1]);
}

static bool
behind_file_url(const char *text, size_t i)
{
	return i >= 8 && strncasecmp(text + i - 8, "file:///", 8) == 0;
}

int
pm_rewrite_path(const struct pm_rewrite *rw, const char *path, char **ret,
		struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;
	const struct pm_prefix *p;
	const char *end;

	p = longest(rw, path, false, &end);
	if (p == NULL)
		return 0;
	buf_str(&out, p->to);
	buf_str(&out, end);
	*ret = buf_take_str(&out, e);
	return *ret == NULL ? -1 : 1;
}

/* Are the backslashes of a match written twice? */
static bool
is_doubled(const char *text, size_t n)
{
	const char *slash = memchr(text, '\\', n);

	return slash != NULL && slash[1] == '\\';
}

/* The path that begins at out[from], told as it would be alone. */
static int
tell(const struct buf *out, size_t from, pm_rewritten_fn fn, void *arg,
     struct err *e)
{
	BUF_SCOPED struct buf path = BUF_EMPTY;

	if (fn == NULL || from == SIZE_MAX || out->bad)
		return 0;
	for (size_t i = from; i < out->len; i++) {
		const uint8_t c = out->at[i] == '/' ? '\\' : out->at[i];

		if (c == '\\' && path.len > 0 && !path.bad &&
		    path.at[path.len - 1] == '\\')
			continue;
		buf_u8(&path, c);
	}
	if (buf_ok(&path, e) < 0)
		return -1;
	return fn(arg, (const char *)path.at, e);
}

int
pm_rewrite_text(const struct pm_rewrite *rw, const char *text,
		struct buf *out, size_t *ret_hits, struct err *e)
{
	return pm_rewrite_tell(rw, text, out, ret_hits, NULL, NULL, e);
}

int
pm_rewrite_tell(const struct pm_rewrite *rw, const char *text,
		struct buf *out, size_t *ret_hits, pm_rewritten_fn fn,
		void *arg, struct err *e)
{
	size_t hits = 0, i = 0, told = SIZE_MAX;

	while (text[i] != '\0') {
		const bool url = behind_file_url(text, i);
		const struct pm_prefix *p;
		const char *end = NULL;
		size_t from = out->len;

		p = begins(text, i) ? longest(rw, text + i, url, &end) : NULL;
		if (p == NULL) {
			if (strchr("\"';|<>\t\r\n?*", text[i]) != NULL) {
				if (tell(out, told, fn, arg, e) < 0)
					return -1;
				told = SIZE_MAX;
			}
			buf_u8(out, (uint8_t)text[i++]);
			continue;
		}
		size_t n = (size_t)(end - (text + i));
		put_path(out, p->to, memchr(text + i, '/', n) != NULL, url,
			 is_doubled(text + i, n));
		if (!out->bad && (out->len - from != n ||
				  memcmp(out->at + from, text + i, n) != 0)) {
			hits++;
			told = url ? SIZE_MAX : from;
		}
		i += n;
	}
	if (buf_ok(out, e) < 0 || tell(out, told, fn, arg, e) < 0)
		return -1;
	*ret_hits = hits;
	return 0;
}

/* ---- binary data ---- */

enum { BLOB_TEXT_MAX = 32768 };

/* How many bytes a text of units of `unit` bytes has, up to a NUL or the end. */
static size_t
text_bytes(const uint8_t *at, size_t len, size_t unit)
{
	size_t n = 0;

	while (n + unit <= len && n < BLOB_TEXT_MAX &&
	       (at[n] != 0 || (unit == 2 && at[n + 1] != 0)))
		n += unit;
	return n;
}

/* Does a drive's path begin here, in UTF-16 (2), in ASCII (1)?  Or not (0). */
static size_t
path_unit(const uint8_t *at, size_t len)
{
	if (len >= 6 && isalpha(at[0]) && memcmp(at + 1, "\0:\0\\\0", 5) == 0)
		return 2;
	return len >= 3 && isalpha(at[0]) && memcmp(at + 1, ":\\", 2) == 0;
}

static int
one_path(const struct pm_rewrite *rw, const uint8_t *at, size_t n, size_t unit,
	 struct buf *out, size_t *ret_hits, struct err *e)
{
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	SCOPED_FREE uint8_t *units = NULL;
	SCOPED_FREE char *text = unit == 2 ? utf_from16(at, n, e) :
		mem_strn((const char *)at, n, e);
	size_t hits, bytes;

	if (text == NULL)
		return -1;
	/* What is not ASCII is of an unknown code page. */
	for (const char *p = text; unit == 1 && *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80) {
			buf_bytes(out, at, n);
			return 0;
		}
	if (pm_rewrite_text(rw, text, &fresh, &hits, e) < 0)
		return -1;
	*ret_hits += hits;
	if (hits == 0) {
		buf_bytes(out, at, n);
	} else if (unit == 1) {
		buf_bytes(out, fresh.at, fresh.len);
	} else {
		if (utf_to16((char *)fresh.at, &units, &bytes, e) < 0)
			return -1;
		buf_bytes(out, units, bytes);
	}
	return 0;
}

int
pm_rewrite_blob(const struct pm_rewrite *rw, const void *at, size_t len,
		struct buf *out, size_t *ret_hits, struct err *e)
{
	const uint8_t *p = at;
	size_t hits = 0;

	for (size_t i = 0; i < len;) {
		size_t unit = path_unit(p + i, len - i), n;

		if (unit == 0) {
			buf_u8(out, p[i++]);
			continue;
		}
		n = text_bytes(p + i, len - i, unit);
		if (one_path(rw, p + i, n, unit, out, &hits, e) < 0)
			return -1;
		i += n;
	}
	*ret_hits = hits;
	return buf_ok(out, e);
}
