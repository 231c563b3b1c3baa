/* take.c - see take.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "source/take.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/progress.h"
#include "disk/disk.h"
#include "source/like.h"
#include "source/source.h"
#include "store/import.h"

void
src_taken_done(struct src_taken *t)
{
	st_version_done(&t->version);
	*t = (struct src_taken)SRC_TAKEN_EMPTY;
}

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

static bool
differs(void *arg, uint64_t at, uint64_t len)
{
	return src_like_differs(arg, at, len);
}

/* Is it a changed copy of a version of this repository's domain? */
static bool
is_like(const struct st_repo *r, const struct dk *d, const struct src_like *like)
{
	uint8_t domain[16];

	return like->image != NULL && st_image_size(like->image) == d->size &&
	       st_repo_domain(r, domain) &&
	       memcmp(domain, st_image_version(like->image)->domain,
		      sizeof(domain)) == 0;
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

/* The version this one was made from: the one named, or the one before. */
static int
note_parent(struct st_repo *r, const char *parent, const struct st_ref *newest,
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

/* ---- taking it ----------------------------------------------------------- */

static int
note(const struct src_take *t, const struct dk *d, const struct src_left *left,
     struct st_version *v, struct err *e)
{
	if (src_left_note(left, v, e) < 0 ||
	    st_version_set(v, "source", last_part(d->name), e) < 0)
		return -1;
	for (size_t i = 0; i < t->notes; i++)
		if (st_version_set(v, t->note[i].key, t->note[i].value, e) < 0)
			return -1;
	return 0;
}

int
src_take_disk(struct st_repo *r, struct dk *d, const struct src_take *t,
	  struct src_taken *ret, struct err *e)
{
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(r, e);
	ST_CUTS_SCOPED struct st_cuts cuts = ST_CUTS_EMPTY;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	SRC_TAKEN_SCOPED struct src_taken got = SRC_TAKEN_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	struct st_input in = { .arg = d, .size = d->size, .read = disk_read,
			       .extents = disk_extents };
	struct st_version *v = &got.version;
	struct st_ref newest = { .number = 0 };
	struct src_left left = { .free = 0 };
	SRC_LIKE_SCOPED struct src_like like = SRC_LIKE_EMPTY;
	struct st_imported map;

	if (w == NULL || find_line(r, t->name, &line, &newest, e) < 0 ||
	    note_parent(r, t->parent, &newest, v, e) < 0 ||
	    src_cut_disk(d, t->exact, t->drop_snapshots, t->tell, &cuts, &left,
			 e) < 0 ||
	    src_like_find(d, &like, e) < 0)
		return -1;
	if (is_like(r, d, &like)) {
		in.like = like.image;
		in.differs = differs;
		in.like_arg = &like;
	}
	progress_begin(&p, "import", true, d->size);
	if (st_import(w, &line, &in, &cuts, &p, &map, e) < 0)
		return err_ctx(e, "%s", d->name);
	progress_end(&p);

	(void)snprintf(v->name, sizeof(v->name), "%s", t->name);
	v->root = map.root;
	v->size = d->size;
	v->data = map.data;
	v->created = (uint64_t)time(NULL);
	if (note(t, d, &left, v, e) < 0 ||
	    st_writer_commit(w, &line, v, &got.ref, e) < 0)
		return -1;
	got.stats = st_writer_stats(w);
	*ret = TAKE(got);
	return 0;
}

struct st_repo *
src_origin(const struct cli_args *a, struct cx_key *key, struct err *e)
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
