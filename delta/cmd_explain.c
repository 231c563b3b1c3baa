/* cmd_explain.c - imgdelta explain: what makes a delta large
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/num.h"
#include "delta/cmd.h"
#include "delta/list.h"

static const char *html;

/* What a file is to an administrator who wonders. */
enum kind { FILES, HIVES, SWAP, NTFS, FREE, NO_FILE, KINDS };

static const char *const kind_name[KINDS] = {
	[FILES] = "files", [HIVES] = "registry hives",
	[SWAP] = "page and hibernation files",
	[NTFS] = "the file system's own", [FREE] = "free space",
	[NO_FILE] = "outside of files",
};

struct sum {
	uint64_t changed, packed, items;
};

static bool
begins(const char *s, const char *with)
{
	return strncasecmp(s, with, strlen(with)) == 0;
}

static bool
ends(const char *s, const char *with)
{
	size_t n = strlen(s), m = strlen(with);

	return n >= m && strcasecmp(s + n - m, with) == 0;
}

static enum kind
kind_of(const char *path)
{
	if (strcmp(path, "(free space)") == 0)
		return FREE;
	if (*path == '(')
		return strcmp(path, "(other files)") == 0 ? FILES : NO_FILE;
	if (*path == '$')
		return NTFS;
	if (strcasecmp(path, "pagefile.sys") == 0 ||
	    strcasecmp(path, "hiberfil.sys") == 0 ||
	    strcasecmp(path, "swapfile.sys") == 0)
		return SWAP;
	if (begins(path, "Windows/System32/config/") ||
	    ends(path, "/ntuser.dat") || ends(path, "/usrclass.dat") ||
	    begins(path, "Boot/BCD"))
		return HIVES;
	return FILES;
}

static void
sum_up(const struct dl_list *l, struct sum by[KINDS])
{
	memset(by, 0, KINDS * sizeof(*by));
	for (size_t i = 0; i < l->count; i++) {
		struct sum *s = &by[kind_of(l->at[i].path)];

		s->changed += l->at[i].changed;
		s->packed += l->at[i].packed;
		s->items++;
	}
}

static int
print_json(const struct dl_file *f, const struct dl_list *l, struct err *e)
{
	JS_SCOPED struct js *j = js_new("imgdelta explain", 1, e);
	struct sum by[KINDS];
	struct js *kinds, *files;

	if (j == NULL)
		return -1;
	js_str(j, "file", f->name);
	js_str(j, "old", f->d.old_name);
	js_str(j, "new", f->d.new_name);
	js_u64(j, "bytes", st_container_info(f->c).file_bytes);
	sum_up(l, by);
	kinds = js_list(j, "kinds");
	for (size_t k = 0; k < KINDS; k++) {
		struct js *o = js_item(kinds);

		js_str(o, "kind", kind_name[k]);
		js_u64(o, "changed", by[k].changed);
		js_u64(o, "packed", by[k].packed);
	}
	files = js_list(j, "files");
	for (size_t i = 0; i < l->count; i++) {
		struct js *o = js_item(files);

		js_str(o, "path", l->at[i].path);
		js_u64(o, "changed", l->at[i].changed);
		js_u64(o, "packed", l->at[i].packed);
	}
	return js_print(j, stdout, e);
}

static void
print_text(const struct dl_list *l)
{
	struct sum by[KINDS];
	char quoted[1024];

	sum_up(l, by);
	(void)printf("%14s %14s  %s\n", "PACKED", "CHANGED", "WHAT");
	for (size_t k = 0; k < KINDS; k++)
		if (by[k].items > 0)
			(void)printf("%14" PRIu64 " %14" PRIu64 "  %s\n",
				     by[k].packed, by[k].changed, kind_name[k]);
	(void)printf("\n%14s %14s  %s\n", "PACKED", "CHANGED", "FILE");
	for (size_t i = 0; i < l->count; i++)
		(void)printf("%14" PRIu64 " %14" PRIu64 "  %s\n",
			     l->at[i].packed, l->at[i].changed,
			     err_quote(quoted, sizeof(quoted), l->at[i].path,
				       strlen(l->at[i].path)));
}

/* ---- the page ---- */

static void
put_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<' || *s == '>' || *s == '&' || *s == '"')
			buf_fmt(out, "&#%d;", *s);
		else
			buf_u8(out, (uint8_t)*s);
	}
}

static void
put_row(struct buf *out, const char *what, uint64_t packed, uint64_t changed,
	uint64_t most)
{
	uint64_t width = most == 0 ? 0 : packed * 100 / most;

	buf_fmt(out, "<tr><td>%" PRIu64 "<td>%" PRIu64
		"<td class=b><i style=\"width:%" PRIu64 "%%\"></i><td>", packed,
		changed, width);
	put_escaped(out, what);
	buf_str(out, "\n");
}

static void
put_table(struct buf *out, const char *title)
{
	buf_fmt(out, "</table><h2>%s</h2><table><tr><th>packed<th>changed<th>"
		"<th>what\n", title);
}

static int
write_html(const struct dl_file *f, const struct dl_list *l, struct err *e)
{
	BUF_SCOPED struct buf out = BUF_EMPTY;
	struct sum by[KINDS];
	uint64_t most = 0;

	sum_up(l, by);
	buf_str(&out, "<!doctype html><meta charset=utf-8><title>Delta</title>"
		"<style>body{font:14px sans-serif;margin:2em}td,th{padding:1px "
		"8px;text-align:right}td:last-child,th:last-child{text-align:"
		"left}.b{width:200px}.b i{display:block;height:10px;background:"
		"#47a}</style>\n<h1>");
	put_escaped(&out, f->d.old_name);
	buf_str(&out, " to ");
	put_escaped(&out, f->d.new_name);
	buf_fmt(&out, "</h1><p>%" PRIu64 " bytes<table>\n",
		st_container_info(f->c).file_bytes);
	put_table(&out, "What it is made of");
	for (size_t k = 0; k < KINDS; k++)
		most = num_max(most, by[k].packed);
	for (size_t k = 0; k < KINDS; k++)
		put_row(&out, kind_name[k], by[k].packed, by[k].changed, most);
	put_table(&out, "Files");
	for (size_t i = 0; i < l->count; i++)
		put_row(&out, l->at[i].path, l->at[i].packed, l->at[i].changed,
			l->at[0].packed);
	buf_str(&out, "</table>\n");
	if (buf_ok(&out, e) < 0)
		return -1;
	return io_put(html, out.at, out.len, 0644, e);
}

static int
explain(const struct cli_args *a, struct err *e)
{
	DL_FILE_SCOPED struct dl_file f = DL_FILE_EMPTY;
	DL_LIST_SCOPED struct dl_list l = DL_LIST_EMPTY;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;

	if (cli_need_key(a, e) < 0 ||
	    (html != NULL && cli_new_output(a, html, e) < 0) ||
	    cmd_look(a, &f, e) < 0)
		return -1;
	if (!f.d.has_list)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: has no list of files", a->at[0]);
	if (st_container_frame(f.c, f.d.list_frame, &bytes, e) < 0 ||
	    dl_list_parse(a->at[0], bytes.at, bytes.len, &l, e) < 0)
		return -1;
	if (html != NULL)
		return write_html(&f, &l, e);
	if (a->json)
		return print_json(&f, &l, e);
	print_text(&l);
	return 0;
}

static const struct cli_opt opts[] = {
	{ .name = "html", .arg = "F", .help = "draw it as a page in file F",
	  .value = &html },
	{ .name = NULL }
};

const struct cli_cmd cmd_explain = {
	.name = "explain", .operands = "FILE",
	.help = "tell which files make a delta large", .opts = opts,
	.common = CLI_KEY | CLI_JSON | CLI_FORCE, .min_operands = 1,
	.max_operands = 1, .run = explain,
};
