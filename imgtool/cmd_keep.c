/* cmd_keep.c - imgtool tag, remove and gc: what is kept
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "imgtool/cmd.h"
#include "source/source.h"
#include "store/gc.h"
#include "store/version.h"
#include "store/writer.h"

static const char *keep_last;
static bool keep_tagged;

/* ---- tag ----------------------------------------------------------------- */

static bool unproven;

/* What a version is proven to do stands in its encrypted part. */
static int
check_proven(const struct cli_args *a, const struct st_repo *r,
	     const struct st_ref *ref, struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;

	if (cli_need_key(a, e) < 0 ||
	    st_version_load(r, ref, &line, &v, e) < 0)
		return -1;
	return st_version_proven(&v, e);
}

static int
tag(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo(a, &key, e);
	ST_WRITER_SCOPED struct st_writer *w = NULL;
	struct st_ref ref;

	if (r == NULL || (w = st_writer_open(r, e)) == NULL ||
	    st_ref_find(r, a->at[0], &ref, e) < 0 ||
	    (!unproven && check_proven(a, r, &ref, e) < 0) ||
	    st_ref_tag(r, &ref, a->at[1], e) < 0)
		return -1;
	(void)printf("%s:%s is %s:%llu\n", ref.name, a->at[1], ref.name,
		     (unsigned long long)ref.number);
	return 0;
}

/* ---- remove -------------------------------------------------------------- */

static bool
is_tagged(const struct st_refs *tags, uint64_t number)
{
	for (size_t i = 0; i < tags->count; i++)
		if (tags->at[i].number == number)
			return true;
	return false;
}

/* The versions that go: the one that was named, or all but those to keep. */
static int
choose(const struct st_repo *r, const char *operand, const struct st_refs *tags,
       struct st_refs *go, struct err *e)
{
	uint64_t last = 0;
	size_t kept = 0;

	if (keep_last == NULL && !keep_tagged) {
		go->at = mem_array(1, sizeof(*go->at), e);
		if (go->at == NULL)
			return -1;
		go->count = go->cap = 1;
		return st_ref_find(r, operand, &go->at[0], e);
	}
	if (keep_last != NULL && !num_parse(keep_last, 1, 1u << 30, false, &last))
		return err_set(e, ERR_USAGE, "--keep-last: not a number from 1 "
			       "on: %s", keep_last);
	if (st_ref_versions(r, operand, go, e) < 0)
		return -1;
	if (go->count == 0)
		return err_set(e, ERR_NO, "%s: no such image; imgtool images "
			       "lists them", operand);
	for (size_t i = 0; i < go->count; i++)
		if (go->count - i > last &&
		    !(keep_tagged && is_tagged(tags, go->at[i].number)))
			go->at[kept++] = go->at[i];
	go->count = kept;
	return 0;
}

static int
remove_one(struct st_repo *r, const struct st_ref *ref,
	   const struct st_refs *tags, struct err *e)
{
	for (size_t i = 0; i < tags->count; i++)
		if (tags->at[i].number == ref->number &&
		    st_ref_untag(r, ref->name, tags->at[i].name, e) < 0)
			return -1;
	if (st_ref_remove(r, ref, e) < 0)
		return -1;
	(void)printf("%s:%llu\n", ref->name, (unsigned long long)ref->number);
	return 0;
}

static int
remove_versions(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo(a, &key, e);
	ST_WRITER_SCOPED struct st_writer *w = NULL;
	ST_REFS_SCOPED struct st_refs tags = ST_REFS_EMPTY;
	ST_REFS_SCOPED struct st_refs go = ST_REFS_EMPTY;
	char name[ST_NAME_MAX + 1] = "";
	size_t n = strcspn(a->at[0], ":");

	if (r == NULL)
		return -1;
	if (n < sizeof(name))
		memcpy(name, a->at[0], n);
	if (st_ref_tags(r, name, &tags, e) < 0 ||
	    choose(r, a->at[0], &tags, &go, e) < 0)
		return -1;
	if (go.count == 0) {
		log_note("%s: nothing to remove", name);
		return 0;
	}
	SCOPED_FREE char *what = mem_fmt(e, "remove %zu version%s of %s",
					 go.count, go.count == 1 ? "" : "s",
					 name);
	if (what == NULL || (!a->dry_run && cli_confirm(a, what, e) < 0))
		return -1;
	for (size_t i = 0; a->dry_run && i < go.count; i++)
		(void)printf("%s:%llu\n", go.at[i].name,
			     (unsigned long long)go.at[i].number);
	if (a->dry_run)
		return 0;
	w = st_writer_open(r, e);
	if (w == NULL)
		return -1;
	for (size_t i = 0; i < go.count; i++)
		if (remove_one(r, &go.at[i], &tags, e) < 0)
			return -1;
	log_note("their space is given back by imgtool gc");
	return 0;
}

/* ---- gc ------------------------------------------------------------------ */

static int
print_gc(const struct cli_args *a, const struct st_gc *g, struct err *e)
{
	if (a->json) {
		JS_SCOPED struct js *j = js_new("imgtool gc", 1, e);

		if (j == NULL)
			return -1;
		js_u64(j, "packs", g->packs);
		js_u64(j, "dead", g->dead);
		js_u64(j, "rewritten", g->rewritten);
		js_u64(j, "freed", g->freed);
		js_u64(j, "manifests", g->manifests);
		js_u64(j, "keys", g->lines);
		js_bool(j, "postponed", g->postponed);
		return js_print(j, stdout, e);
	}
	(void)printf("%llu packs: %llu not needed, %llu %swritten again; "
		     "%.1f MiB %s\n", (unsigned long long)g->packs,
		     (unsigned long long)g->dead,
		     (unsigned long long)g->rewritten,
		     a->dry_run ? "to be " : "", (double)g->freed / 1048576,
		     a->dry_run ? "would be freed" :
		     g->postponed ? "to be freed" : "freed");
	if (g->postponed)
		log_note("somebody is reading: the old packs stay until the "
			 "next gc");
	return 0;
}

static int
gc(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = src_repo_with_key(a, &key, e);
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	struct st_gc sum;

	if (r == NULL || st_gc(r, a->dry_run, &p, &sum, e) < 0)
		return -1;
	progress_end(&p);
	return print_gc(a, &sum, e);
}

static const struct cli_opt tag_opts[] = {
	{ .name = "unproven",
	  .help = "also where a recipe's platform is not proven",
	  .flag = &unproven },
	{ .name = NULL }
};

const struct cli_cmd cmd_tag = {
	.name = "tag", .operands = "NAME:VER TAG",
	.help = "give a version a name of its own", .opts = tag_opts,
	.common = CLI_REPO | CLI_KEY, .min_operands = 2, .max_operands = 2,
	.run = tag,
};

static const struct cli_opt remove_opts[] = {
	{ .name = "keep-last", .arg = "N",
	  .help = "remove all versions of NAME but the newest N",
	  .value = &keep_last },
	{ .name = "keep-tagged",
	  .help = "remove all versions of NAME but those with a tag",
	  .flag = &keep_tagged },
	{ .name = NULL }
};

const struct cli_cmd cmd_remove = {
	.name = "remove", .operands = "NAME:VER",
	.help = "forget a version, or old versions", .opts = remove_opts,
	.common = CLI_REPO | CLI_KEY | CLI_YES | CLI_DRY_RUN,
	.min_operands = 1, .max_operands = 1, .run = remove_versions,
};

const struct cli_cmd cmd_gc = {
	.name = "gc", .operands = "",
	.help = "give back the space that no version needs",
	.common = CLI_REPO | CLI_KEY | CLI_DRY_RUN | CLI_JSON, .run = gc,
};
