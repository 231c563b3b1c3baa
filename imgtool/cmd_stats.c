/* cmd_stats.c - imgtool stats: what is stored, and what that saved
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "imgtool/cmd.h"
#include "source/source.h"
#include "store/version.h"

static const char *html;

/* A version that our key opens. */
struct row {
	char name[ST_NAME_MAX + 24];
	uint64_t created, size, data, added, stored;
};

struct rows {
	struct row *at;
	size_t count, cap, closed;
	struct row sum;
	uint64_t packs, pack_bytes;
};

static void
rows_done(struct rows *r)
{
	free(r->at);
}

static int
add_row(const struct st_repo *r, const struct st_ref *ref, struct rows *rows,
	struct err *e)
{
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	struct err closed = ERR_INIT;

	if (st_version_load(r, ref, &line, &v, &closed) < 0) {
		if (closed.kind != ERR_AUTH) {
			*e = closed;
			return -1;
		}
		rows->closed++;
		return 0;
	}
	if (mem_grow(&rows->at, &rows->cap, rows->count + 1, sizeof(*rows->at),
		     e) < 0)
		return -1;
	struct row *x = &rows->at[rows->count++];
	(void)snprintf(x->name, sizeof(x->name), "%s:%llu", ref->name,
		       (unsigned long long)ref->number);
	x->created = v.created;
	x->size = v.size;
	x->data = v.data;
	x->added = v.added;
	x->stored = v.stored;
	rows->sum.size += v.size;
	rows->sum.data += v.data;
	rows->sum.added += v.added;
	rows->sum.stored += v.stored;
	return 0;
}

static int
count_packs(const char *repo, struct rows *rows, struct err *e)
{
	SCOPED_FREE char *dir = io_join(repo, "packs", e);
	DIR *d = dir == NULL ? NULL : opendir(dir);
	const struct dirent *x;
	struct stat st;

	if (dir == NULL)
		return -1;
	if (d == NULL)
		return err_sys(e, "%s", dir);
	while ((x = readdir(d)) != NULL)
		if (fstatat(dirfd(d), x->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode)) {
			rows->packs++;
			rows->pack_bytes += (uint64_t)st.st_size;
		}
	(void)closedir(d);
	return 0;
}

static double
mib(uint64_t bytes)
{
	return (double)bytes / 1048576;
}

static double
times(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : (double)a / (double)b;
}

/* ---- as a page ----------------------------------------------------------- */

/* Names are letters, digits and three signs: nothing to escape. */
static void
put_bar(struct buf *b, const struct row *x, uint64_t most)
{
	double known = 100 * times(x->data - (x->added < x->data ? x->added :
					      x->data), most);

	buf_fmt(b, "<tr><td>%s<td class=n>%.1f<td class=n>%.1f<td class=n>%.1f"
		"<td class=bar><i style=\"width:%.2f%%\"></i>"
		"<b style=\"width:%.2f%%\"></b>\n", x->name, mib(x->data),
		mib(x->added), mib(x->stored), known,
		100 * times(x->added, most));
}

static int
write_html(const struct cli_args *a, const struct rows *r, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	uint64_t most = 1;

	for (size_t i = 0; i < r->count; i++)
		if (r->at[i].data > most)
			most = r->at[i].data;
	buf_str(&b, "<!DOCTYPE html><meta charset=utf-8><title>What the images "
		"take</title>\n<style>body{font:15px sans-serif;margin:2em;"
		"max-width:70em}table{border-collapse:collapse;width:100%}"
		"td,th{padding:.2em .6em;text-align:left}.n{text-align:right}"
		".bar{width:45%}.bar i,.bar b{display:inline-block;height:1em}"
		".bar i{background:#9bc}.bar b{background:#c52}</style>\n"
		"<h1>What the images take</h1>\n");
	buf_fmt(&b, "<p>%zu versions of %.1f MiB of data are stored in %.1f MiB:"
		" deduplication saved a factor of %.1f, compression %.1f.</p>\n",
		r->count, mib(r->sum.data), mib(r->pack_bytes),
		times(r->sum.data, r->sum.added),
		times(r->sum.added, r->sum.stored));
	buf_str(&b, "<table><tr><th>Version<th class=n>Data MiB<th class=n>New "
		"MiB<th class=n>Stored MiB<th>Known before <i style=\""
		"background:#9bc\">&emsp;</i>, new <b style=\"background:#c52"
		"\">&emsp;</b>\n");
	for (size_t i = 0; i < r->count; i++)
		put_bar(&b, &r->at[i], most);
	buf_str(&b, "</table>\n");
	if (buf_ok(&b, e) < 0 || cli_new_output(a, html, e) < 0)
		return -1;
	return io_put(html, b.at, b.len, 0644, e);
}

/* ---- as text ------------------------------------------------------------- */

static void
print_rows(const struct rows *r)
{
	(void)printf("%-32s %12s %12s %12s %12s\n", "VERSION", "DISK MiB",
		     "DATA MiB", "NEW MiB", "STORED MiB");
	for (size_t i = 0; i < r->count; i++)
		(void)printf("%-32s %12.1f %12.1f %12.1f %12.1f\n",
			     r->at[i].name, mib(r->at[i].size),
			     mib(r->at[i].data), mib(r->at[i].added),
			     mib(r->at[i].stored));
	(void)printf("%-32s %12.1f %12.1f %12.1f %12.1f\n", "all",
		     mib(r->sum.size), mib(r->sum.data), mib(r->sum.added),
		     mib(r->sum.stored));
	(void)printf("%llu packs of %.1f MiB; deduplication saved a factor of "
		     "%.1f, compression %.1f\n", (unsigned long long)r->packs,
		     mib(r->pack_bytes), times(r->sum.data, r->sum.added),
		     times(r->sum.added, r->sum.stored));
	if (r->closed > 0)
		(void)printf("%zu versions are not open to this key\n",
			     r->closed);
}

static int
print_json(const struct rows *r, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgtool stats", 1, e);

	if (j == NULL)
		return -1;
	js_u64(j, "packs", r->packs);
	js_u64(j, "pack_bytes", r->pack_bytes);
	js_u64(j, "data", r->sum.data);
	js_u64(j, "added", r->sum.added);
	js_u64(j, "stored", r->sum.stored);
	js_u64(j, "closed", r->closed);
	struct js *list = js_list(j, "versions");
	for (size_t i = 0; i < r->count; i++) {
		struct js *one = js_item(list);

		js_str(one, "version", r->at[i].name);
		js_u64(one, "created", r->at[i].created);
		js_u64(one, "size", r->at[i].size);
		js_u64(one, "data", r->at[i].data);
		js_u64(one, "added", r->at[i].added);
		js_u64(one, "stored", r->at[i].stored);
	}
	return js_print(j, stdout, e);
}

static int
stats(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo_with_key(a, &key, e);
	ST_REFS_SCOPED struct st_refs refs = ST_REFS_EMPTY;
	SCOPED(rows_done) struct rows rows = { .at = NULL };

	if (r == NULL || st_ref_all(r, &refs, e) < 0 ||
	    count_packs(a->repo, &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < refs.count; i++)
		if (add_row(r, &refs.at[i], &rows, e) < 0)
			return -1;
	if (html != NULL)
		return write_html(a, &rows, e);
	if (a->json)
		return print_json(&rows, e);
	print_rows(&rows);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "html", .arg = "FILE",
	  .help = "draw it, as one page without links", .value = &html },
	{ .name = NULL }
};

const struct cli_cmd cmd_stats = {
	.name = "stats", .operands = "",
	.help = "what is stored, and what sharing and packing saved",
	.opts = opts, .common = CLI_REPO | CLI_KEY | CLI_JSON | CLI_FORCE,
	.run = stats,
};
