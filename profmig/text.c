/* text.c - old paths in settings that programs keep as text files
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prefs.js, *.ini, *.xml, JSON: whatever the syntax, a path is a path
 * (rewrite.h).  UTF-16 with its mark, UTF-8, or an unknown code page, of which
 * only the ASCII part is understood.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "profmig/work-private.h"

enum { TEXT_MAX = 16 << 20 };

struct telling {
	struct pm_work *w;
	size_t missing;
};

static int
look(void *arg, const char *path, struct err *e)
{
	struct telling *t = arg;
	SCOPED_FREE char *full = wn_expand(t->w->move.to, &t->w->move.user,
					   path, e);
	int r = full == NULL ? -1 : pm_will_exist(t->w, full, e);

	t->missing += r == 0;
	return r < 0 ? -1 : 0;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* The file's text, or NULL with *ret_wide untouched where it is none. */
static char *
decode(const struct pm_work *w, const struct buf *raw, bool *ret_wide,
       struct err *e)
{
	const bool wide = raw->len >= 2 && memcmp(raw->at, "\xff\xfe", 2) == 0;

	if (wide) {
		*ret_wide = true;
		return raw->len % 2 != 0 ? NULL :
			utf_from16(raw->at, raw->len, e);
	}
	if (memchr(raw->at, '\0', raw->len) != NULL ||
	    (!utf_valid8(raw->at, raw->len) &&
	     !is_ascii(w->move.user.profile)))
		return NULL;
	return mem_strn((const char *)raw->at, raw->len, e);
}

int
pm_text_rewrite(struct pm_work *w, const struct pm_content_at *c,
		uint8_t **ret, size_t *ret_len, size_t *ret_missing,
		struct err *e)
{
	struct telling t = { .w = w };
	BUF_SCOPED struct buf raw = BUF_EMPTY, fresh = BUF_EMPTY;
	SCOPED_FREE char *text = NULL;
	bool wide = false;
	size_t hits;

	if (c->size == 0 || c->size > TEXT_MAX)
		return 0;
	if (pm_reader_slurp(w->reader, c, TEXT_MAX, &raw, e) < 0)
		return -1;
	text = decode(w, &raw, &wide, e);
	if (text == NULL)
		return e->kind == ERR_NONE ? 0 : -1;
	if (pm_rewrite_tell(&w->move.paths, text, &fresh, &hits, look, &t,
			    e) < 0)
		return -1;
	if (hits == 0)
		return 0;
	*ret_missing = t.missing;
	if (wide)
		return utf_to16((char *)fresh.at, ret, ret_len, e) < 0 ? -1 :
			1;
	*ret_len = fresh.len;
	*ret = TAKE(fresh.at);
	return 1;
}
