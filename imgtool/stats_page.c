/* stats_page.c - the page of imgtool stats --html
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of images are letters, digits and three signs: nothing to escape.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "imgtool/stats.h"

static const char style[] =
	":root{color-scheme:light dark;--ink:#1d2733;--soft:#667;--line:#dde3ea;"
	"--card:#f6f8fa;--known:#a9c4dc;--new:#c8551b;--rest:#b9bec6}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa4b2;"
	"--line:#333c48;--card:#1c232c;--known:#41617d;--new:#e0783f;"
	"--rest:#555d68}body{background:#12171d}}"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);"
	"max-width:62em;margin:2.5em auto;padding:0 1.2em}"
	"h1{font-size:1.6em;margin:0 0 .1em}h2{font-size:1.15em;margin:2.2em 0 .5em}"
	"p{color:var(--soft);margin:.2em 0 1em}"
	".cards{display:flex;flex-wrap:wrap;gap:.8em;margin:1.4em 0}"
	".card{flex:1 1 9em;background:var(--card);border:1px solid var(--line);"
	"border-radius:.5em;padding:.7em 1em}"
	".card b{display:block;font-size:1.5em;font-weight:600}"
	".card span{color:var(--soft)}"
	"table{border-collapse:collapse;width:100%}"
	"th{font-weight:600;color:var(--soft);text-align:left}"
	"td,th{padding:.25em .6em;border-bottom:1px solid var(--line)}"
	".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
	".bar{width:42%}.bar div{display:flex;height:1.05em;background:none}"
	".bar i,.bar b,.key i,.key b,.key u{display:inline-block}"
	".bar i,.key i{background:var(--known)}.bar b,.key b{background:var(--new)}"
	".bar u,.key u{background:var(--rest)}"
	".key i,.key b,.key u{width:.9em;height:.9em;margin:0 .3em 0 .9em;"
	"vertical-align:-.1em}";

double
stats_times(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : (double)a / (double)b;
}

/* "12.3 MiB" */
static const char *
size(uint64_t bytes, char room[24])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double n = (double)bytes / 1024;
	size_t u = 0;

	while (n >= 1024 && u + 1 < sizeof(units) / sizeof(units[0])) {
		n /= 1024;
		u++;
	}
	(void)snprintf(room, 24, "%.*f %s", n < 10 ? 2 : n < 100 ? 1 : 0, n,
		       units[u]);
	return room;
}

static const char *
day(uint64_t seconds, char room[16])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(room, 16, "%Y-%m-%d", &tm) == 0)
		(void)snprintf(room, 16, "-");
	return room;
}

static void
card(struct buf *b, const char *value, const char *what)
{
	buf_fmt(b, "<div class=card><b>%s</b><span>%s</span></div>", value,
		what);
}

static void
put_head(const struct stats *s, struct buf *b)
{
	char room[24];

	buf_fmt(b, "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta "
		"name=viewport content=\"width=device-width\"><title>What the "
		"images take</title><style>%s</style>\n<h1>What the images "
		"take</h1>\n<p>%zu version%s in %llu pack%s", style, s->count,
		s->count == 1 ? "" : "s", (unsigned long long)s->packs,
		s->packs == 1 ? "" : "s");
	if (s->closed > 0)
		buf_fmt(b, "; %zu more are not open to this key", s->closed);
	buf_str(b, "</p>\n<div class=cards>");
	card(b, size(s->sum.data, room), "of data in all versions");
	card(b, size(s->pack_bytes, room), "on the disk of the repository");
	(void)snprintf(room, sizeof(room), "%.1f&times;",
		       stats_times(s->sum.data, s->sum.added));
	card(b, room, "less, as known data is stored once");
	(void)snprintf(room, sizeof(room), "%.1f&times;",
		       stats_times(s->sum.added, s->sum.stored));
	card(b, room, "less, by compression");
	buf_str(b, "</div>\n");
}

/* ---- what takes the space ------------------------------------------------ */

/* One image from row `i` on: the row behind it; *ret is what it stored. */
static size_t
sum_image(const struct stats *s, size_t i, uint64_t *ret)
{
	size_t k = i;

	for (*ret = 0; k < s->count &&
	     strcmp(s->at[k].ref.name, s->at[i].ref.name) == 0; k++)
		*ret += s->at[k].stored;
	return k;
}

static void
put_image(struct buf *b, const char *name, size_t versions, uint64_t stored,
	  uint64_t all, char sign)
{
	char room[24];

	buf_fmt(b, "<tr><td>%s<td class=n>", name);
	if (versions > 0)
		buf_fmt(b, "%zu", versions);
	buf_fmt(b, "<td class=n>%s<td class=n>%.0f&thinsp;%%<td class=bar><div>"
		"<%c style=\"width:%.2f%%\"></%c></div>\n", size(stored, room),
		100 * stats_times(stored, all), sign,
		100 * stats_times(stored, all), sign);
}

static void
put_images(const struct stats *s, struct buf *b)
{
	uint64_t stored, all = s->pack_bytes;

	if (all < s->sum.stored)
		all = s->sum.stored;
	buf_str(b, "<h2>What takes the space</h2>\n<p>What versions of each "
		"image were the first to store.</p>\n<table><tr><th>Image<th "
		"class=n>Versions<th class=n>Stored<th class=n>Share<th>\n");
	for (size_t i = 0; i < s->count;) {
		size_t end = sum_image(s, i, &stored);

		put_image(b, s->at[i].ref.name, end - i, stored, all, 'b');
		i = end;
	}
	if (all - s->sum.stored > all / 200)
		put_image(b, "<em>removed versions, maps, images of others</em>",
			  0, all - s->sum.stored, all, 'u');
	buf_str(b, "</table>\n");
}

/* ---- what each version cost ---------------------------------------------- */

static void
put_version(struct buf *b, const struct stats_row *x, uint64_t most)
{
	uint64_t added = x->added < x->data ? x->added : x->data;
	char date[16], data[24], new[24], stored[24];

	buf_fmt(b, "<tr><td>%s:%llu<td class=n>%s<td class=n>%s<td class=n>%s"
		"<td class=n>%s<td class=bar><div><i style=\"width:%.2f%%\"></i>"
		"<b style=\"width:%.2f%%\"></b></div>\n", x->ref.name,
		(unsigned long long)x->ref.number, day(x->created, date),
		size(x->data, data), size(x->added, new),
		size(x->stored, stored),
		100 * stats_times(x->data - added, most),
		100 * stats_times(added, most));
}

static void
put_versions(const struct stats *s, struct buf *b)
{
	uint64_t most = 1;

	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].data > most)
			most = s->at[i].data;
	buf_str(b, "<h2>What each version cost</h2>\n<p class=key>Of its data:"
		"<i></i>known before<b></b>new</p>\n<table><tr><th>Version<th "
		"class=n>Made<th class=n>Data<th class=n>New<th class=n>Stored"
		"<th>\n");
	for (size_t i = 0; i < s->count; i++)
		put_version(b, &s->at[i], most);
	buf_str(b, "</table>\n");
}

void
stats_page(const struct stats *s, struct buf *out)
{
	put_head(s, out);
	put_images(s, out);
	put_versions(s, out);
}
