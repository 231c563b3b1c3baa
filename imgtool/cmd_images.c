/* cmd_images.c - imgtool images and log: what is in a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names and numbers need no key.  With one that opens a line, its sizes and
 * dates are told as well.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "imgtool/cmd.h"
#include "source/source.h"
#include "store/version.h"

/* A manifest, with its encrypted part where our key opens the line: 1, else 0 with
 * its clear part. */
static int
load(const struct st_repo *r, const struct st_ref *ref, struct st_version *v,
     struct err *e)
{
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	struct err closed = ERR_INIT;

	if (st_repo_key(r) != NULL) {
		if (st_version_load(r, ref, &line, v, &closed) == 0)
			return 1;
		if (closed.kind != ERR_AUTH) {
			*e = closed;
			return -1;
		}
	}
	return st_version_load(r, ref, NULL, v, e);
}

static const char *
when(uint64_t seconds, char out[20])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 20, "%Y-%m-%d %H:%M", &tm) == 0)
		(void)snprintf(out, 20, "?");
	return out;
}

/* "" or " tag tag": the tags of a number (0: of any). */
static char *
tags_of(const struct st_refs *tags, uint64_t number, struct err *e)
{
	SCOPED_FREE char *all = mem_str("", e);

	for (size_t i = 0; i < tags->count && all != NULL; i++) {
		if (tags->at[i].number != number)
			continue;
		char *more = mem_fmt(e, "%s %s", all, tags->at[i].name);
		free(all);
		all = more;
	}
	return TAKE(all);
}

static int
print_image(const struct st_repo *r, const char *name, struct js *list,
	    struct err *e)
{
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	char date[20];
	int opened;

	if (st_ref_versions(r, name, &l, e) < 0)
		return -1;
	if (l.count == 0)
		return 0;
	const struct st_ref *newest = &l.at[l.count - 1];
	opened = load(r, newest, &v, e);
	if (opened < 0)
		return -1;
	if (list != NULL) {
		struct js *one = js_item(list);

		js_str(one, "name", name);
		js_u64(one, "versions", l.count);
		js_u64(one, "newest", newest->number);
		js_bool(one, "open", opened == 1);
		if (opened == 1) {
			js_u64(one, "size", v.size);
			js_u64(one, "created", v.created);
		}
		return 0;
	}
	(void)printf("%-24s %8llu %8zu", name,
		     (unsigned long long)newest->number, l.count);
	if (opened == 1)
		(void)printf(" %10.1f MiB  %s\n", (double)v.size / 1048576,
			     when(v.created, date));
	else
		(void)printf("          -      %s\n",
			     "not open to this key");
	return 0;
}

/* One damaged image must not hide the others. */
static int
try_image(const struct st_repo *r, const char *name, struct js *list,
	  size_t *bad, struct err *e)
{
	struct err why = ERR_INIT;

	if (print_image(r, name, list, &why) == 0)
		return 0;
	if (why.kind != ERR_CORRUPT && why.kind != ERR_AUTH) {
		*e = why;
		return -1;
	}
	++*bad;
	log_warn("%s", why.msg);
	if (list == NULL)
		(void)printf("%-24s can not be read\n", name);
	return 0;
}

static int
images(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo(a, &key, e);
	ST_REFS_SCOPED struct st_refs lines = ST_REFS_EMPTY;
	JS_SCOPED struct js *j = NULL;
	struct js *list = NULL;
	size_t bad = 0;

	if (r == NULL || st_ref_lines(r, &lines, e) < 0)
		return -1;
	if (a->json) {
		j = js_new("imgtool images", 1, e);
		if (j == NULL)
			return -1;
		list = js_list(j, "images");
	} else if (lines.count > 0) {
		(void)printf("%-24s %8s %8s %14s  %s\n", "IMAGE", "NEWEST",
			     "VERSIONS", "SIZE", "CREATED (UTC)");
	}
	for (size_t i = 0; i < lines.count; i++)
		if (try_image(r, lines.at[i].name, list, &bad, e) < 0)
			return -1;
	if (j != NULL && js_print(j, stdout, e) < 0)
		return -1;
	if (bad > 0)
		return err_set(e, ERR_PARTIAL, "%s: %zu of %zu images can not "
			       "be read; imgtool verify tells why", a->repo,
			       bad, lines.count);
	return 0;
}

static void
json_version(struct js *one, const struct st_ref *ref,
	     const struct st_version *v, bool opened, const char *tags)
{
	char hex[ST_ID_HEX];

	js_u64(one, "version", ref->number);
	js_str(one, "id", st_id_hex(&ref->version, hex));
	js_hex(one, "signer", v->signer, sizeof(v->signer));
	js_str(one, "tags", tags[0] == ' ' ? tags + 1 : tags);
	js_bool(one, "open", opened);
	if (!opened)
		return;
	js_u64(one, "created", v->created);
	js_str(one, "parent", v->parent_text);
	js_bool(one, "exact", (v->flags & ST_VERSION_EXACT) != 0);
	js_u64(one, "size", v->size);
	js_u64(one, "data", v->data);
	js_u64(one, "added", v->added);
	js_u64(one, "stored", v->stored);
	struct js *props = js_object(one, "notes");
	for (size_t i = 0; i < v->props; i++)
		js_str(props, v->prop[i].key, v->prop[i].value);
}

static void
text_version(const struct st_ref *ref, const struct st_version *v, bool opened,
	     const char *tags)
{
	char date[20];

	(void)printf("%s:%llu%s%s%s\n", ref->name,
		     (unsigned long long)ref->number, tags[0] ? " (" : "",
		     tags[0] ? tags + 1 : "", tags[0] ? ")" : "");
	if (!opened) {
		(void)printf("    not open to this key\n");
		return;
	}
	(void)printf("    created  %s UTC\n", when(v->created, date));
	if (v->parent_text != NULL)
		(void)printf("    parent   %s\n", v->parent_text);
	(void)printf("    disk     %.1f MiB, of which %.1f MiB are data%s\n",
		     (double)v->size / 1048576, (double)v->data / 1048576,
		     (v->flags & ST_VERSION_EXACT) != 0 ? ", exact" : "");
	(void)printf("    new      %.1f MiB, stored in %.1f MiB\n",
		     (double)v->added / 1048576, (double)v->stored / 1048576);
	for (size_t i = 0; i < v->props; i++) {
		char text[256];

		(void)printf("    %-8s %s\n", v->prop[i].key,
			     err_quote(text, sizeof(text), v->prop[i].value,
				       strlen(v->prop[i].value)));
	}
}

static int
print_version(const struct st_repo *r, const struct st_ref *ref,
	      const struct st_refs *tags, struct js *list, struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	SCOPED_FREE char *its = tags_of(tags, ref->number, e);
	int opened = its == NULL ? -1 : load(r, ref, &v, e);

	if (opened < 0)
		return -1;
	if (list != NULL)
		json_version(js_item(list), ref, &v, opened == 1, its);
	else
		text_version(ref, &v, opened == 1, its);
	return 0;
}

/* "log" is a function of the mathematical library. */
static int
show_log(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo(a, &key, e);
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;
	ST_REFS_SCOPED struct st_refs tags = ST_REFS_EMPTY;
	JS_SCOPED struct js *j = NULL;
	struct js *list = NULL;

	if (r == NULL || st_ref_versions(r, a->at[0], &l, e) < 0 ||
	    st_ref_tags(r, a->at[0], &tags, e) < 0)
		return -1;
	if (l.count == 0)
		return err_set(e, ERR_NO, "%s: no such image; imgtool images "
			       "lists them", a->at[0]);
	if (a->json) {
		j = js_new("imgtool log", 1, e);
		if (j == NULL)
			return -1;
		js_str(j, "name", a->at[0]);
		list = js_list(j, "versions");
	}
	for (size_t i = l.count; i > 0; i--)
		if (print_version(r, &l.at[i - 1], &tags, list, e) < 0)
			return -1;
	return j == NULL ? 0 : js_print(j, stdout, e);
}

const struct cli_cmd cmd_images = {
	.name = "images", .operands = "", .help = "list the images",
	.common = CLI_REPO | CLI_KEY | CLI_JSON, .run = images,
};

const struct cli_cmd cmd_log = {
	.name = "log", .operands = "NAME",
	.help = "list the versions of an image, newest first",
	.common = CLI_REPO | CLI_KEY | CLI_JSON, .min_operands = 1,
	.max_operands = 1, .run = show_log,
};
