/* meta.c - attributes, times and short name as one line, and back
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * "attributes=0x00000026 created=2009-07-14T04:53:08.1234567Z modified=...
 * changed=... accessed=... short-name=PROGRA~1"; each part may be missing, the
 * four times come together.
 */
#include "change/change-private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"

#define TICKS 10000000u			/* of a FILETIME in a second */
#define EPOCH 11644473600		/* seconds from 1601 to 1970 */
#define ISO_END UINT64_C(2650467744000000000)	/* 10000-01-01 */

static const char *const time_words[4] = {
	"created", "modified", "changed", "accessed"
};

static void
put_time(struct buf *b, uint64_t t)
{
	time_t seconds = (time_t)(t / TICKS) - EPOCH;
	struct tm tm;
	char text[32];

	if (t >= ISO_END || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		buf_fmt(b, "%" PRIu64, t);
		return;
	}
	buf_fmt(b, "%s.%07uZ", text, (unsigned)(t % TICKS));
}

char *
cs_meta_text(const struct cs_meta *m, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const char *gap = "";

	if (m->has_attributes) {
		buf_fmt(&b, "attributes=0x%08x", m->attributes);
		gap = " ";
	}
	for (int i = 0; i < 4 && m->has_times; i++) {
		buf_fmt(&b, "%s%s=", gap, time_words[i]);
		put_time(&b, m->times[i]);
		gap = " ";
	}
	if (m->short_name != NULL)
		buf_fmt(&b, "%sshort-name=%s", gap, m->short_name);
	return buf_take_str(&b, e);
}

static bool
parse_time(const char *s, size_t len, uint64_t *ret)
{
	struct tm tm = { 0 };
	char text[40];
	const char *end;
	uint64_t fraction;

	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (memchr(text, 'T', len) == NULL)
		return num_parse(text, 0, UINT64_MAX, false, ret);
	if (len != 28 || text[27] != 'Z' || text[19] != '.')
		return false;
	text[27] = '\0';
	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end != text + 19 || strspn(end + 1, "0123456789") != 7)
		return false;
	fraction = strtoul(end + 1, NULL, 10);
	*ret = (uint64_t)(timegm(&tm) + EPOCH) * TICKS + fraction;
	return true;
}

static int
bad(struct err *e, const char *text)
{
	char quoted[128];

	return err_set(e, ERR_USAGE, "metadata \"%s\" is not understood",
		       err_quote(quoted, sizeof(quoted), text, strlen(text)));
}

/* One "word=value"; false when it is none. */
static bool
part(const char *s, size_t len, struct cs_meta *m, unsigned *seen,
     const char **short_at, size_t *short_len)
{
	const char *eq = memchr(s, '=', len);
	size_t word = eq != NULL ? (size_t)(eq - s) : 0;
	size_t rest = eq != NULL ? len - word - 1 : 0;
	char number[16] = "";
	uint64_t v;

	if (rest == 0)
		return false;
	if (word == 10 && memcmp(s, "attributes", 10) == 0) {
		if (rest >= sizeof(number))
			return false;
		memcpy(number, eq + 1, rest);
		m->has_attributes = true;
		if (!num_parse(number, 0, UINT32_MAX, false, &v))
			return false;
		m->attributes = (uint32_t)v;
		return true;
	}
	for (unsigned i = 0; i < 4; i++)
		if (word == strlen(time_words[i]) &&
		    memcmp(s, time_words[i], word) == 0) {
			*seen |= 1u << i;
			return parse_time(eq + 1, rest, &m->times[i]);
		}
	if (word != 10 || memcmp(s, "short-name", 10) != 0 || rest > 36)
		return false;
	*short_at = eq + 1;
	*short_len = rest;
	return true;
}

int
cs_meta_parse(const char *text, struct cs_meta *ret, char **ret_short,
	      struct err *e)
{
	struct cs_meta m = { .short_name = NULL };
	const char *short_at = NULL;
	SCOPED_FREE char *name = NULL;
	size_t short_len = 0;
	unsigned seen = 0;

	for (const char *s = text; *s != '\0';) {
		size_t len = strcspn(s, " ");

		if (short_at != NULL || len == 0 ||
		    !part(s, len, &m, &seen, &short_at, &short_len))
			return bad(e, text);
		s += len;
		s += *s == ' ';
	}
	if (seen != 0 && seen != 15)
		return bad(e, text);
	m.has_times = seen != 0;
	if (short_at != NULL) {
		name = mem_strn(short_at, short_len, e);
		if (name == NULL)
			return -1;
	}
	m.short_name = name;
	*ret_short = TAKE(name);
	*ret = m;
	return 0;
}
