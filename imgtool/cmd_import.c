/* cmd_import.c - imgtool import and commit: a disk becomes a version
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "disk/disk.h"
#include "imgtool/cmd.h"
#include "imgtool/cuts.h"
#include "source/over.h"
#include "source/source.h"
#include "store/import.h"
#include "store/writer.h"

static const char *parent;
static bool exact, drop_snapshots;

/* ---- a disk as the store reads it ---------------------------------------- */

static int
disk_read(void *arg, void *buf, size_t len, uint64_t at, struct err *e)
{
	return dk_read(arg, buf, len, at, e);
}

struct asked {
	st_extent_fn fn;
	void *arg;
};

static int
tell(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	const struct asked *a = arg;

	return a->fn(a->arg, at, len, (kind & DK_ZERO) != 0, e);
}

static int
disk_extents(void *arg, uint64_t at, uint64_t len, st_extent_fn fn,
	     void *fn_arg, struct err *e)
{
	struct asked a = { .fn = fn, .arg = fn_arg };

	return dk_extents(arg, at, len, tell, &a, e);
}

/* ---- the line and what is known about the version ------------------------ */

/* The line that NAME continues, or a new one. */
static int
find_line(struct st_repo *r, const char *name, struct st_line *ret,
	  struct st_ref *ret_newest, struct err *e)
{
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;

	if (st_ref_versions(r, name, &l, e) < 0)
		return -1;
	if (l.count == 0)
		return st_line_new(r, ret, e);
	*ret_newest = l.at[l.count - 1];
	return st_version_load(r, ret_newest, ret, &v, e);
}

/* The version this one was made from: --parent, or the one before. */
static int
note_parent(struct st_repo *r, const struct st_ref *newest,
	    struct st_version *v, struct err *e)
{
	struct st_ref ref = *newest;

	if (parent != NULL && st_ref_find(r, parent, &ref, e) < 0)
		return -1;
	if (ref.number == 0)
		return 0;
	v->parent = ref.version;
	v->parent_text = mem_fmt(e, "%s:%llu", ref.name,
				 (unsigned long long)ref.number);
	return v->parent_text == NULL ? -1 : 0;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
report(const struct cli_args *a, const struct st_ref *ref,
       const struct st_version *v, const struct st_writer_stats *s,
       struct err *e)
{
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

/* ---- the command --------------------------------------------------------- */

static int
store(const struct cli_args *a, struct st_repo *r, struct dk *d,
      const char *name, struct err *e)
{
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(r, e);
	ST_CUTS_SCOPED struct st_cuts cuts = ST_CUTS_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	struct st_input in = { .arg = d, .size = d->size, .read = disk_read,
			       .extents = disk_extents };
	struct st_ref newest = { .number = 0 }, ref;
	struct cut_left left = { .free = 0 };
	struct st_imported got;

	if (w == NULL || find_line(r, name, &line, &newest, e) < 0 ||
	    note_parent(r, &newest, &v, e) < 0 ||
	    cut_disk(d, exact, drop_snapshots, &cuts, &left, e) < 0)
		return -1;
	progress_begin(&p, "import", true, d->size);
	if (st_import(w, &line, &in, &cuts, &p, &got, e) < 0)
		return err_ctx(e, "%s", d->name);
	progress_end(&p);

	(void)snprintf(v.name, sizeof(v.name), "%s", name);
	v.root = got.root;
	v.size = d->size;
	v.data = got.data;
	v.created = (uint64_t)time(NULL);
	if (cut_left_note(&left, &v, e) < 0 ||
	    st_version_set(&v, "source", last_part(d->name), e) < 0 ||
	    st_writer_commit(w, &line, &v, &ref, e) < 0)
		return -1;
	struct st_writer_stats s = st_writer_stats(w);
	return report(a, &ref, &v, &s, e);
}

/* The repository, which must be one that this key can import into. */
static struct st_repo *
open_origin(const struct cli_args *a, struct cx_key *key, struct err *e)
{
	ST_REPO_SCOPED struct st_repo *r = src_repo_with_key(a, key, e);

	if (r == NULL)
		return NULL;
	if (st_repo_kind(r) == ST_REPO_CLIENT)
		(void)err_set(e, ERR_UNSAFE, "%s: is a client's; import into "
			      "its origin and bring it here with imgdelta",
			      a->repo);
	else if (!st_repo_is_admin(r))
		(void)err_set(e, ERR_AUTH, "%s: %s is no administrator's key "
			      "of this repository", a->repo, a->key);
	else
		return TAKE(r);
	return NULL;
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
	if (check_options(e) < 0 || (r = open_origin(a, &key, e)) == NULL)
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

	if (check_options(e) < 0 || (r = open_origin(a, &key, e)) == NULL ||
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
