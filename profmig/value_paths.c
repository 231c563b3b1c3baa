/* value_paths.c - paths in registry strings, and whether they exist over there
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "profmig/settings-private.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"

enum { TRIES_MAX = 32 };

/* Will it be there?  A bare name is looked up where Windows looks first. */
static int
exists(const struct pm_value *v, const char *text, struct err *e)
{
	const struct pm_move *m = v->from->move;
	SCOPED_FREE char *path = wn_expand(m->to, &m->user, text, e);
	static const char *const where[] = { "\\system32\\", "\\" };
	int r = 0;

	if (path == NULL)
		return -1;
	if (strchr(path, '\\') != NULL || strchr(path, '/') != NULL)
		return v->from->exists(v->from->arg, path, e);
	for (size_t i = 0; i < 2 && r == 0; i++) {
		SCOPED_FREE char *full = mem_fmt(e, "%s%s%s",
			m->to->system_root, where[i], path);

		r = full == NULL ? -1 :
			v->from->exists(v->from->arg, full, e);
	}
	return r;
}

/*
 * The file that a command line or "file,index" names: what is in quotes, else
 * the whole, else up to each of the places where arguments may begin, the
 * longest first.
 */
static int
names_a_file(const struct pm_value *v, const char *text, struct err *e)
{
	SCOPED_FREE char *copy = mem_str(text, e);
	int r;

	if (copy == NULL)
		return -1;
	if (copy[0] == '"') {
		char *end = strchr(copy + 1, '"');

		if (end != NULL)
			*end = '\0';
		return exists(v, copy + 1, e);
	}
	for (int i = 0; i < TRIES_MAX; i++) {
		char *cut, *comma;

		r = exists(v, copy, e);
		if (r != 0)
			return r;
		cut = strrchr(copy, ' ');
		comma = strrchr(copy, ',');
		if (comma != NULL && (cut == NULL || comma > cut))
			cut = comma;
		if (cut == NULL || cut == copy)
			return 0;
		*cut = '\0';
	}
	return 0;
}

/* One string: its new form appended to out with its NUL. */
static int
one_string(struct pm_value *v, const uint8_t *at, size_t len, bool must_exist,
	   struct buf *out, size_t *ret_hits, bool *ret_gone, struct err *e)
{
	SCOPED_FREE char *text = utf_from16(at, len, e);
	SCOPED_FREE uint8_t *units = NULL;
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	size_t hits, bytes;
	int r;

	if (text == NULL ||
	    pm_rewrite_text(&v->from->move->paths, text, &fresh, &hits,
			    e) < 0)
		return -1;
	if ((must_exist || hits > 0) && text[0] != '\0') {
		r = names_a_file(v, (char *)fresh.at, e);
		if (r < 0)
			return -1;
		*ret_gone = *ret_gone || r == 0;
	}
	*ret_hits += hits;
	if (hits == 0) {
		buf_bytes(out, at, len);
	} else {
		if (utf_to16((char *)fresh.at, &units, &bytes, e) < 0)
			return -1;
		buf_bytes(out, units, bytes);
	}
	buf_u16le(out, 0);
	return 0;
}

static size_t
string_bytes(const uint8_t *at, size_t left)
{
	size_t n = 0;

	while (n + 1 < left && (at[n] != 0 || at[n + 1] != 0))
		n += 2;
	return n;
}

int
pm_value_rewrite(struct pm_value *v, bool must_exist, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;
	const uint8_t *at = v->in.at;
	size_t left = v->in.len & ~(size_t)1;
	size_t hits = 0;
	bool gone = false;

	if (v->in.type != HV_SZ && v->in.type != HV_EXPAND_SZ &&
	    v->in.type != HV_MULTI_SZ)
		return 0;
	for (;;) {
		size_t n = string_bytes(at, left);

		/* The empty string that ends a list. */
		if (v->in.type == HV_MULTI_SZ && n == 0) {
			buf_u16le(&out, 0);
			break;
		}
		if (one_string(v, at, n, must_exist, &out, &hits, &gone,
			       e) < 0)
			return -1;
		if (gone && must_exist)
			return pm_value_drop(v, "names a file that the target "
					     "does not have", e);
		n += n + 2 <= left ? 2 : 0;
		at += n;
		left -= n;
		if (v->in.type != HV_MULTI_SZ)
			break;
	}
	if (buf_ok(&out, e) < 0)
		return -1;
	if (hits == 0)
		return 0;
	if (gone && v->out->why == NULL) {
		v->out->why = mem_str("names the new place of what does not "
				      "come along", e);
		if (v->out->why == NULL)
			return -1;
	}
	return pm_value_set(v, out.at, out.len, e);
}

/* ---- SIDs ---- */

/* As text: every string of the value at once, its NULs kept. */
static int
text_sids(struct pm_value *v, struct err *e)
{
	SCOPED_FREE char *text = utf_from16(v->out->data, v->out->len, e);
	SCOPED_FREE uint8_t *units = NULL;
	BUF_SCOPED struct buf fresh = BUF_EMPTY;
	size_t hits, bytes;

	if (text == NULL || pm_sid_text(v->from->move, text, &fresh, &hits,
					e) < 0)
		return -1;
	if (hits == 0)
		return 0;
	if (utf_to16((char *)fresh.at, &units, &bytes, e) < 0)
		return -1;
	return pm_value_set(v, units, bytes, e);
}

int
pm_value_sids(struct pm_value *v, struct err *e)
{
	if (v->out->outcome == PM_DROPPED)
		return 0;
	if (v->out->type == HV_SZ || v->out->type == HV_EXPAND_SZ ||
	    v->out->type == HV_MULTI_SZ)
		return text_sids(v, e);
	if (pm_sid_bytes(v->from->move, v->out->data, v->out->len) > 0)
		v->out->outcome = PM_TRANSFORMED;
	return 0;
}
