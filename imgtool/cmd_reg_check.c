/* cmd_reg_check.c - imgtool reg check, replay: a hive file and its logs
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/json.h"
#include "hive/hive.h"
#include "imgtool/cmd.h"
#include "imgtool/reg.h"

enum { SHOWN_PER_RULE = 5, RULES = 64 };

/* ---- check ---------------------------------------------------------------- */

struct report {
	struct js *list;	/* NULL: print lines */
	uint64_t errors, warnings;
	struct {
		const char *rule;
		char level;
		uint64_t count;
	} rule[RULES];
	size_t rules;
};

/* How often was this rule broken so far, this time included? */
static uint64_t
count(struct report *r, const struct hv_fault *f)
{
	size_t i = 0;

	while (i < r->rules && (strcmp(r->rule[i].rule, f->rule) != 0 ||
				r->rule[i].level != f->level))
		i++;
	if (i == RULES)
		return 1;
	if (i == r->rules) {
		r->rule[i].rule = f->rule;
		r->rule[i].level = f->level;
		r->rules++;
	}
	return ++r->rule[i].count;
}

static int
show(void *ctx, const struct hv_fault *f, struct err *e)
{
	struct report *r = ctx;
	SCOPED_FREE char *path = f->key == NULL ? NULL : hv_path(f->key, e);

	if (f->key != NULL && path == NULL)
		return -1;
	r->errors += f->level == 'E';
	r->warnings += f->level == 'W';
	if (r->list != NULL) {
		struct js *j = js_item(r->list);

		js_str(j, "rule", f->rule);
		js_strn(j, "level", &f->level, 1);
		js_u64(j, "offset", f->at);
		js_str(j, "key", path);
		js_str(j, "what", f->what);
		return 0;
	}
	if (count(r, f) > SHOWN_PER_RULE)
		return 0;
	(void)printf("%c\t%s\t%#" PRIx32 "\t", f->level, f->rule, f->at);
	reg_print_text(stdout, path == NULL ? "-" : path[0] == '\0' ? "\\" : path);
	(void)printf("\t%s\n", f->what);
	return 0;
}

static void
show_rest(const struct report *r)
{
	for (size_t i = 0; i < r->rules; i++)
		if (r->rule[i].count > SHOWN_PER_RULE)
			(void)printf("%c\t%s\t...\t-\t%" PRIu64 " more\n",
				     r->rule[i].level, r->rule[i].rule,
				     r->rule[i].count - SHOWN_PER_RULE);
}

/* The bytes to check: a dirty hive after its logs, if they can be replayed. */
static int
checked_bytes(const struct cli_args *a, const struct hv_files *f,
	      struct report *r, struct buf *ret, struct err *e)
{
	struct hv_fault lost = { .rule = "B3", .level = 'E', .at = 4 };
	struct hv_facts facts;
	struct err ignored = ERR_INIT;

	if (hv_recover(a->at[0], f->hive, f->len, f->log, f->count,
		       HV_LOGS_REPLAY, ret, &facts, &ignored) == 0)
		return 0;
	if (ignored.kind == ERR_NOMEM || ignored.kind == ERR_UNSUPPORTED)
		return err_set(e, ignored.kind, "%s", ignored.msg);
	lost.what = ignored.msg;
	if (ignored.kind == ERR_UNSAFE && show(r, &lost, e) < 0)
		return -1;
	buf_bytes(ret, f->hive, f->len);
	return buf_ok(ret, e);
}

static int
check(const struct cli_args *a, struct err *e)
{
	HV_FILES_SCOPED struct hv_files f = HV_FILES_EMPTY;
	BUF_SCOPED struct buf image = BUF_EMPTY;
	JS_SCOPED struct js *j = NULL;
	struct report r = { .list = NULL };

	if (hv_files_read(a->at[0], (const char *const *)a->at + 1,
			  a->count - 1, &f, e) < 0)
		return -1;
	if (a->json) {
		j = js_new("imgtool reg check", 1, e);
		if (j == NULL)
			return -1;
		r.list = js_list(j, "faults");
	}
	if (checked_bytes(a, &f, &r, &image, e) < 0)
		return -1;
	if (hv_check(a->at[0], image.at, image.len, show, &r, e) < 0)
		return -1;
	if (a->json && js_print(j, stdout, e) < 0)
		return -1;
	if (!a->json)
		show_rest(&r);
	if (r.errors > 0)
		return err_set(e, ERR_NO, "%s: %" PRIu64 " errors, %" PRIu64
			       " warnings", a->at[0], r.errors, r.warnings);
	return 0;
}

const struct cli_cmd cmd_reg_check = {
	.name = "reg check", .operands = "HIVE [LOG...]",
	.help = "check a hive file, after its logs, for broken rules",
	.common = CLI_JSON, .min_operands = 1, .max_operands = 1 + HV_LOGS_MAX,
	.run = check,
};

/* ---- replay --------------------------------------------------------------- */

static bool discard;

static const struct cli_opt opts[] = {
	{ .name = "discard-logs",
	  .help = "go on without what damaged or missing logs held",
	  .flag = &discard },
	{ .name = NULL }
};

static int
tell(const struct cli_args *a, const struct hv_facts *f, struct err *e)
{
	static const char *const how[] = {
		[HV_REPLAYED_NONE] = "none", [HV_REPLAYED_DIRT] = "DIRT",
		[HV_REPLAYED_HVLE] = "HvLE",
	};
	JS_SCOPED struct js *j = NULL;

	if (!a->json) {
		if (!f->dirty)
			(void)puts("clean: nothing to replay");
		else if (f->replayed == HV_REPLAYED_HVLE)
			(void)printf("replayed entries %" PRIu32 " to %" PRIu32 "\n",
				     f->first, f->last);
		else if (f->replayed == HV_REPLAYED_DIRT)
			(void)printf("replayed %" PRIu32 " sectors\n", f->applied);
		if (f->replayed != HV_REPLAYED_NONE)
			(void)printf("saved %" PRIu64 " keys and %" PRIu64
				     " values\n", f->keys_saved,
				     f->values_saved);
		if (f->stale[0] != '\0')
			(void)printf("discarded: %s\n", f->stale);
		return 0;
	}
	j = js_new("imgtool reg replay", 1, e);
	if (j == NULL)
		return -1;
	js_bool(j, "dirty", f->dirty);
	js_str(j, "logs", how[f->replayed]);
	js_u64(j, "first", f->first);
	js_u64(j, "last", f->last);
	js_u64(j, "applied", f->applied);
	js_u64(j, "keys_saved", f->keys_saved);
	js_u64(j, "values_saved", f->values_saved);
	js_bool(j, "partial", f->partial);
	js_bool(j, "log_ahead", f->log_ahead);
	js_str(j, "discarded", f->stale[0] != '\0' ? f->stale : NULL);
	return js_print(j, stdout, e);
}

static int
replay(const struct cli_args *a, struct err *e)
{
	HV_FILES_SCOPED struct hv_files f = HV_FILES_EMPTY;
	BUF_SCOPED struct buf image = BUF_EMPTY;
	struct hv_facts facts;

	if (hv_files_read(a->at[0], (const char *const *)a->at + 1,
			  a->count - 1, &f, e) < 0 ||
	    hv_recover(a->at[0], f.hive, f.len, f.log, f.count,
		       discard ? HV_LOGS_DISCARD : HV_LOGS_REPLAY, &image,
		       &facts, e) < 0)
		return -1;
	if (facts.dirty && !a->dry_run &&
	    hv_files_write(a->at[0], &f, image.at, image.len, e) < 0)
		return -1;
	return tell(a, &facts, e);
}

const struct cli_cmd cmd_reg_replay = {
	.name = "reg replay", .operands = "HIVE [LOG...]",
	.help = "write what the logs hold into a hive file, and empty them",
	.opts = opts, .common = CLI_JSON | CLI_DRY_RUN, .min_operands = 1,
	.max_operands = 1 + HV_LOGS_MAX, .run = replay,
};
