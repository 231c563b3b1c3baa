/* cmd_stats.c - imgtool stats: what is stored, and what that saved
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "imgtool/cmd.h"
#include "imgtool/stats.h"
#include "source/source.h"
#include "store/version.h"

static const char *html;

static void
stats_done(struct stats *s)
{
	free(s->at);
}

static int
add_row(const struct st_repo *r, const struct st_ref *ref, struct stats *rows,
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
	struct stats_row *x = &rows->at[rows->count++];
	x->ref = *ref;
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
count_packs(const char *repo, struct stats *rows, struct err *e)
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

static int
write_html(const struct cli_args *a, const struct stats *r, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	stats_page(r, &b);
	if (buf_ok(&b, e) < 0 || cli_new_output(a, html, e) < 0)
		return -1;
	return io_put(html, b.at, b.len, 0644, e);
}

/* ---- as text ------------------------------------------------------------- */

static void
version_name(const struct st_ref *ref, char room[ST_NAME_MAX + 24])
{
	(void)snprintf(room, ST_NAME_MAX + 24, "%s:%llu", ref->name,
		       (unsigned long long)ref->number);
}

static void
print_rows(const struct stats *r)
{
	(void)printf("%-32s %12s %12s %12s %12s\n", "VERSION", "DISK MiB",
		     "DATA MiB", "NEW MiB", "STORED MiB");
	for (size_t i = 0; i < r->count; i++) {
		char name[ST_NAME_MAX + 24];

		version_name(&r->at[i].ref, name);
		(void)printf("%-32s %12.1f %12.1f %12.1f %12.1f\n",
			     name, mib(r->at[i].size),
			     mib(r->at[i].data), mib(r->at[i].added),
			     mib(r->at[i].stored));
	}
	(void)printf("%-32s %12.1f %12.1f %12.1f %12.1f\n", "all",
		     mib(r->sum.size), mib(r->sum.data), mib(r->sum.added),
		     mib(r->sum.stored));
	(void)printf("%llu packs of %.1f MiB; deduplication saved a factor of "
		     "%.1f, compression %.1f\n", (unsigned long long)r->packs,
		     mib(r->pack_bytes), stats_times(r->sum.data, r->sum.added),
		     stats_times(r->sum.added, r->sum.stored));
	if (r->closed > 0)
		(void)printf("%zu versions are not open to this key\n",
			     r->closed);
}

static int
print_json(const struct stats *r, struct err *e)
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
		char name[ST_NAME_MAX + 24];

		version_name(&r->at[i].ref, name);
		js_str(one, "version", name);
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
	SCOPED(stats_done) struct stats rows = { .at = NULL };

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
