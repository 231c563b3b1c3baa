/* cmd_files_look.c - imgtool files ls, stat, cat
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cli.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "imgtool/cmd.h"
#include "imgtool/files.h"
#include "imgtool/reg.h"
#include "windows/sd.h"

enum { PIECE = 1 << 20 };

/* ---- ls ------------------------------------------------------------------- */

static bool ls_long, ls_deep;

struct listing {
	struct js *list;	/* NULL: as text */
	size_t skip;		/* bytes of each path that are not shown */
};

static int
show(void *arg, const char *path, const struct vo_entry *x, struct err *e)
{
	const struct listing *l = arg;
	char time[FILES_TIME], attributes[FILES_ATTRIBUTES];

	(void)e;
	if (l->list != NULL) {
		struct js *one = js_item(l->list);

		js_str(one, "name", path + l->skip);
		js_str(one, "short_name", x->short_name);
		files_json_stat(one, &x->st);
		return 0;
	}
	if (ls_long)
		(void)printf("%s %12" PRIu64 " %.19sZ ",
			     files_attributes(x->st.attributes, attributes),
			     x->st.size, files_time(x->st.times.modified, time));
	reg_print_text(stdout, path + l->skip);
	(void)putchar('\n');
	return 0;
}

static int
list_folder(struct vo *v, const char *path, struct listing *l, struct err *e)
{
	VO_LIST_SCOPED struct vo_list list = VO_LIST_EMPTY;

	l->skip = *path == '\0' ? 0 : strlen(path) + 1;
	if (ls_deep)
		return vo_walk(v, path, show, l, e);
	if (vo_list(v, path, &list, e) < 0)
		return -1;
	l->skip = 0;
	for (size_t i = 0; i < list.count; i++)
		if (show(l, list.at[i].name, &list.at[i], e) < 0)
			return -1;
	return 0;
}

static int
list_one(const struct files *f, const char *path, struct listing *l,
	 struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	SCOPED_FREE char *name = NULL;
	struct vo_entry x = { .name = NULL };
	struct vo *v;

	if (files_need(f, path, &v, &inside, &x.st, e) < 0)
		return -1;
	if ((x.st.attributes & VO_DIRECTORY) != 0)
		return list_folder(v, inside, l, e);
	if (vo_spelling(v, inside, &name, e) < 0)
		return -1;
	l->skip = 0;
	return show(l, name == NULL ? inside : name, &x, e);
}

static int
files_ls(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;
	JS_SCOPED struct js *j = NULL;
	struct listing l = { .list = NULL };

	if (files_open(a, false, &f, e) < 0)
		return -1;
	if (a->json) {
		j = js_new("imgtool files ls", 1, e);
		if (j == NULL)
			return -1;
		l.list = js_list(j, "files");
	}
	if (a->count == 1 && list_one(&f, "", &l, e) < 0)
		return -1;
	for (size_t i = 1; i < a->count; i++)
		if (list_one(&f, a->at[i], &l, e) < 0)
			return -1;
	return j == NULL ? 0 : js_print(j, stdout, e);
}

static const struct cli_opt ls_opts[] = {
	{ .name = "long", .letter = 'l', .flag = &ls_long,
	  .help = "show attributes, size and time too" },
	{ .name = "recursive", .letter = 'R', .flag = &ls_deep,
	  .help = "show what is in the folders too" },
	{ .name = NULL }
};

const struct cli_cmd cmd_files_ls = {
	.name = "files ls", .operands = "DISK [PATH...]",
	.help = "list folders", .opts = ls_opts,
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE,
	.min_operands = 1, .max_operands = SIZE_MAX, .run = files_ls,
};

/* ---- stat ----------------------------------------------------------------- */

struct facts {
	char *spelling;
	struct vo_stat st;
	struct vo_streams streams;
	struct buf sddl;
};

static void
facts_done(struct facts *f)
{
	free(f->spelling);
	vo_streams_done(&f->streams);
	buf_done(&f->sddl);
}

/* Security as SDDL; what has no such text is left empty. */
static int
get_sddl(struct vo *v, const char *path, struct buf *out, struct err *e)
{
	WN_SD_SCOPED struct wn_sd sd = WN_SD_EMPTY;
	SCOPED_FREE uint8_t *bytes = NULL;
	struct err why = ERR_INIT;
	size_t len;

	if (vo_security(v, path, &bytes, &len, &why) < 0 ||
	    wn_sd_parse(bytes, len, &sd, &why) < 0 ||
	    wn_sd_to_sddl(&sd, out, &why) < 0)
		return why.kind == ERR_NOMEM
		     ? err_set(e, ERR_NOMEM, "%s", why.msg) : 0;
	return buf_ok(out, e);
}

static int
get_facts(const struct files *f, const char *path, struct facts *ret,
	  struct err *e)
{
	SCOPED_FREE char *inside = NULL;
	struct vo *v;

	if (files_need(f, path, &v, &inside, &ret->st, e) < 0 ||
	    vo_spelling(v, inside, &ret->spelling, e) < 0 ||
	    vo_streams(v, inside, &ret->streams, e) < 0)
		return -1;
	return get_sddl(v, inside, &ret->sddl, e);
}

static void
print_facts(const struct facts *x)
{
	char time[FILES_TIME], attributes[FILES_ATTRIBUTES];
	const struct vo_stat *s = &x->st;

	(void)printf("path\t/");
	reg_print_text(stdout, x->spelling == NULL ? "" : x->spelling);
	(void)printf("\nattributes\t%s\nsize\t%" PRIu64 "\nallocated\t%" PRIu64
		     "\n", files_attributes(s->attributes, attributes), s->size,
		     s->allocated);
	(void)printf("created\t%s\n", files_time(s->times.created, time));
	(void)printf("modified\t%s\n", files_time(s->times.modified, time));
	(void)printf("changed\t%s\n", files_time(s->times.changed, time));
	(void)printf("accessed\t%s\n", files_time(s->times.accessed, time));
	(void)printf("record\t%" PRIu64 "-%u\nlinks\t%u\n",
		     s->id & 0xffffffffffff, (unsigned)(s->id >> 48), s->links);
	if (s->tag != 0)
		(void)printf("reparse\t0x%08x\n", s->tag);
	for (size_t i = 0; i < x->streams.count; i++)
		if (*x->streams.at[i].name != '\0') {
			(void)printf("stream\t");
			reg_print_text(stdout, x->streams.at[i].name);
			(void)printf("\t%" PRIu64 "\n", x->streams.at[i].size);
		}
	(void)printf("security\t%u\t%s\n", s->security_id,
		     x->sddl.at == NULL ? "" : (const char *)x->sddl.at);
}

static void
json_facts(struct js *one, const struct facts *x)
{
	struct js *streams;

	js_str(one, "path", x->spelling);
	files_json_stat(one, &x->st);
	js_str(one, "sddl", (const char *)x->sddl.at);
	streams = js_list(one, "streams");
	for (size_t i = 0; i < x->streams.count; i++) {
		struct js *s = js_item(streams);

		js_str(s, "name", x->streams.at[i].name);
		js_u64(s, "size", x->streams.at[i].size);
	}
}

static int
files_stat(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;
	JS_SCOPED struct js *j = NULL;
	struct js *list = NULL;

	if (files_open(a, false, &f, e) < 0)
		return -1;
	if (a->json) {
		j = js_new("imgtool files stat", 1, e);
		if (j == NULL)
			return -1;
		list = js_list(j, "files");
	}
	for (size_t i = 1; i < a->count; i++) {
		SCOPED(facts_done) struct facts x = { .spelling = NULL };

		if (get_facts(&f, a->at[i], &x, e) < 0)
			return -1;
		if (list != NULL)
			json_facts(js_item(list), &x);
		else
			print_facts(&x);
	}
	return j == NULL ? 0 : js_print(j, stdout, e);
}

const struct cli_cmd cmd_files_stat = {
	.name = "files stat", .operands = "DISK PATH...",
	.help = "show what is known about files",
	.common = CLI_JSON | CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES |
		  CLI_FORMAT | CLI_STATE,
	.min_operands = 2, .max_operands = SIZE_MAX, .run = files_stat,
};

/* ---- cat ------------------------------------------------------------------ */

static int
files_cat(const struct cli_args *a, struct err *e)
{
	FILES_SCOPED struct files f = FILES_EMPTY;
	SCOPED_FREE uint8_t *piece = mem_array(PIECE, 1, e);

	if (piece == NULL || files_open(a, false, &f, e) < 0)
		return -1;
	for (size_t i = 1; i < a->count; i++) {
		SCOPED_FREE char *inside = NULL;
		struct vo_stat st;
		struct vo *v;
		uint64_t at = 0;
		size_t len;

		if (files_need(&f, a->at[i], &v, &inside, &st, e) < 0)
			return -1;
		do {
			if (vo_read(v, inside, at, piece, PIECE, &len, e) < 0 ||
			    io_write_all(1, piece, len, "standard output",
					 e) < 0)
				return -1;
			at += len;
		} while (len == PIECE);
	}
	return 0;
}

const struct cli_cmd cmd_files_cat = {
	.name = "files cat", .operands = "DISK PATH...",
	.help = "write what files hold to standard output",
	.common = CLI_REPO | CLI_KEY | CLI_ROOT | CLI_VOLUMES | CLI_FORMAT |
		  CLI_STATE,
	.min_operands = 2, .max_operands = SIZE_MAX, .run = files_cat,
};
