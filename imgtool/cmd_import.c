/* cmd_import.c - imgtool import and commit: a disk becomes a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "disk/disk.h"
#include "imgtool/cmd.h"
#include "source/take.h"
#include "source/over.h"
#include "source/source.h"

static const char *parent;
static bool exact, drop_snapshots;

static int
report(const struct cli_args *a, const struct src_taken *t, struct err *e)
{
	const struct st_writer_stats *s = &t->stats;
	const struct st_version *v = &t->version;
	const struct st_ref *ref = &t->ref;

	if (a->json) {
		JS_SCOPED struct js *j = js_new("imgtool import", 1, e);

		if (j == NULL)
			return -1;
		js_str(j, "name", ref->name);
		js_u64(j, "version", ref->number);
		js_str(j, "parent", v->parent_text);
		js_bool(j, "exact", (v->flags & ST_VERSION_EXACT) != 0);
		js_str(j, "left_out", st_version_get(v, "left-out"));
		js_u64(j, "size", v->size);
		js_u64(j, "data", v->data);
		js_u64(j, "new", s->new_bytes);
		js_u64(j, "known", s->known_bytes);
		js_u64(j, "stored", s->stored_bytes);
		return js_print(j, stdout, e);
	}
	(void)printf("%s:%llu\n", ref->name, (unsigned long long)ref->number);
	log_note("%.1f MiB disk, %.1f MiB not zeros: %.1f MiB known, %.1f MiB "
		 "new, stored in %.1f MiB",
		 (double)v->size / 1048576, (double)v->data / 1048576,
		 (double)s->known_bytes / 1048576,
		 (double)s->new_bytes / 1048576,
		 (double)s->stored_bytes / 1048576);
	if (st_version_get(v, "left-out") != NULL)
		log_note("left out: %s; --exact keeps them",
			 st_version_get(v, "left-out"));
	return 0;
}

static void
tell(const char *text)
{
	log_note("%s", text);
}

static int
store(const struct cli_args *a, struct st_repo *r, struct dk *d,
      const char *name, struct err *e)
{
	SRC_TAKEN_SCOPED struct src_taken got = SRC_TAKEN_EMPTY;
	const struct src_take t = { .name = name, .parent = parent, .exact = exact,
				.drop_snapshots = drop_snapshots,
				.tell = tell };

	return src_take_disk(r, d, &t, &got, e) < 0 ? -1 : report(a, &got, e);
}

static int
check_options(struct err *e)
{
	if (exact && drop_snapshots)
		return err_set(e, ERR_USAGE, "--exact and --drop-snapshots "
			       "contradict each other");
	return 0;
}

static int
import(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = NULL;
	DK_SCOPED struct dk *d = NULL;

	if (!st_name_ok(a->at[1]))
		return err_set(e, ERR_USAGE, "%s: is no name for an image: "
			       "letters, digits, '.', '_', '-'", a->at[1]);
	if (check_options(e) < 0 || (r = src_origin(a, &key, e)) == NULL)
		return -1;
	d = src_open(a, a->at[0], 0, e);
	return d == NULL ? -1 : store(a, r, d, a->at[1], e);
}

static int
commit(const struct cli_args *a, struct err *e)
{
	CX_KEY_SCOPED struct cx_key key = CX_KEY_EMPTY;
	ST_REPO_SCOPED struct st_repo *r = NULL;
	DK_SCOPED struct dk *d = NULL;
	struct st_ref ref;

	if (check_options(e) < 0 || (r = src_origin(a, &key, e)) == NULL ||
	    st_ref_find(r, a->at[0], &ref, e) < 0)
		return -1;
	parent = a->at[0];
	d = src_over(r, a->at[0], a->at[1], &key, e);
	return d == NULL ? -1 : store(a, r, d, ref.name, e);
}

static const struct cli_opt opts[] = {
	{ .name = "parent", .arg = "NAME:VER",
	  .help = "the version it was made from (default: the one before)",
	  .value = &parent },
	{ .name = "exact", .help = "keep every bit, also of unused space",
	  .flag = &exact },
	{ .name = "drop-snapshots",
	  .help = "leave out shadow copies, and the free clusters they need",
	  .flag = &drop_snapshots },
	{ .name = NULL }
};

const struct cli_cmd cmd_import = {
	.name = "import", .operands = "DISK NAME",
	.help = "store a disk as the next version of an image", .opts = opts,
	.common = CLI_REPO | CLI_KEY | CLI_FORMAT | CLI_STATE | CLI_JSON,
	.min_operands = 2, .max_operands = 2, .run = import,
};

static const struct cli_opt commit_opts[] = {
	{ .name = "exact", .help = "keep every bit, also of unused space",
	  .flag = &exact },
	{ .name = "drop-snapshots",
	  .help = "leave out shadow copies, and the free clusters they need",
	  .flag = &drop_snapshots },
	{ .name = NULL }
};

const struct cli_cmd cmd_commit = {
	.name = "commit", .operands = "NAME:VER OVERLAY",
	.help = "make what was written over a version the next version",
	.opts = commit_opts, .common = CLI_REPO | CLI_KEY | CLI_JSON,
	.min_operands = 2, .max_operands = 2, .run = commit,
};
