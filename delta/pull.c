/* pull.c - which versions, and how each comes here; see pull.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/pull.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/key.h"
#include "delta/apply.h"
#include "delta/pull-private.h"
#include "delta/remote.h"
#include "delta/seed.h"
#include "delta/stored.h"
#include "store/writer.h"

enum {
	LINE_FILE_MAX = 16 << 20,
	DELTA_PIECE = 8 << 20,		/* a delta comes in pieces of this size */
	CHAIN_MAX = 64,			/* deltas one after the other */
};

static void
pulling_done(struct pulling *all)
{
	progress_end(&all->progress);
	dl_parts_done(&all->parts);
	dl_release_done(&all->release);
	dl_seen_done(&all->seen);
}

static void
fetching_done(struct fetching *f)
{
	st_index_done(&f->index);
	st_version_done(&f->parsed);
	st_line_done(&f->line);
	buf_done(&f->manifest);
}

int
dl_pull_small(struct pulling *all, const char *folder, const struct st_id *name,
	      const char *suffix, const struct dl_object *o, struct buf *out,
	      struct err *e)
{
	struct dl_remote *r = all->p->remote;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *object = mem_fmt(e, "%s/%s.%s", folder,
					   st_id_hex(name, hex), suffix);
	struct st_id real;
	int there;

	if (object == NULL)
		return -1;
	there = dl_remote_slurp(r, object, (size_t)num_min(o->len, CX_META_MAX),
				out, e);
	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_CORRUPT, "%s/%s: is missing",
			       dl_remote_name(r), object);
	cx_hash(real.at, out->at, out->len);
	if (out->len != o->len || !st_id_equal(&real, &o->id))
		return err_set(e, ERR_AUTH, "%s/%s: is not what the release "
			       "says", dl_remote_name(r), object);
	return 0;
}

/* ---- one version --------------------------------------------------------- */

/* The keys of a line, if it is sealed to ours. */
static int
open_line(struct pulling *all, const struct dl_line *l, struct st_line *ret,
	  struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	struct dl_remote *r = all->p->remote;
	char hex[2 * ST_LINE_BYTES + 1];
	SCOPED_FREE char *name = NULL;

	cx_hex(hex, l->id, ST_LINE_BYTES);
	name = mem_fmt(e, "keys/%s.line", hex);
	if (name == NULL)
		return -1;

	int there = dl_remote_slurp(r, name, LINE_FILE_MAX, &b, e);
	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_CORRUPT, "%s/%s: is missing",
			       dl_remote_name(r), name);
	SCOPED_FREE char *what = mem_fmt(e, "%s: %s", dl_remote_name(r),
					 l->name);
	if (what == NULL)
		return -1;
	return st_line_parse(what, b.at, b.len, l->id,
			     st_repo_key(all->p->repo), ret, e);
}

/* Its manifest, and keys to go with it; then the repository may know both. */
static int
prepare(struct fetching *f, struct err *e)
{
	struct pulling *all = f->all;
	const struct dl_object *o = &f->version->manifest;
	ST_LINE_SCOPED struct st_line kept = ST_LINE_EMPTY;
	struct st_version *v = &f->parsed;

	if (open_line(all, f->offer, &f->line, e) < 0 ||
	    dl_pull_small(all, "versions", &o->id, "version", o, &f->manifest,
			  e) < 0 ||
	    st_version_parse(f->offer->name, f->manifest.at, f->manifest.len,
			     &f->line, v, e) < 0)
		return -1;
	if (strcmp(v->name, f->offer->name) != 0 ||
	    v->number != f->version->number ||
	    memcmp(v->line, f->offer->id, ST_LINE_BYTES) != 0 ||
	    memcmp(v->domain, all->seen.meta.domain, CX_DOMAIN_BYTES) != 0)
		return err_set(e, ERR_AUTH, "%s:%" PRIu64 ": its manifest is "
			       "that of %s:%" PRIu64, f->offer->name,
			       f->version->number, v->name, v->number);
	if (st_repo_adopt_domain(all->p->repo, v->domain, e) < 0)
		return -1;
	return st_line_adopt(all->p->repo, v->line, f->line.image_key.at,
			     f->line.id_key.at, &kept, e);
}

/* Fetch a delta, all of it, as a file. */
static int
fetch_delta(struct fetching *f, const struct dl_object *o, const char *path,
	    struct err *e)
{
	struct pulling *all = f->all;

	if (access(path, F_OK) == 0)
		return 0;	/* it took its name when it was whole */
	for (uint64_t at = 0; at < o->len; at += DELTA_PIECE)
		if (dl_parts_want(&all->parts, &o->id, at,
				  num_min(DELTA_PIECE, o->len - at), e) < 0)
			return -1;
	progress_begin(&all->progress, f->offer->name, true,
		       dl_parts_missing(&all->parts));
	if (dl_parts_fetch(&all->parts, all->p->remote, "deltas", "delta",
			   &all->progress, e) < 0)
		return -1;
	return dl_parts_join(&all->parts, o, path, f->offer->name, e);
}

static int
by_delta(struct fetching *f, const struct dl_object *o, struct st_ref *ret,
	 struct err *e)
{
	struct pulling *all = f->all;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = mem_fmt(e, "%s/%s.delta", all->parts.dir,
					 st_id_hex(&o->id, hex));
	CX_KEY_SCOPED struct cx_key identity = CX_KEY_EMPTY;
	DL_FILE_SCOPED struct dl_file file = DL_FILE_EMPTY;
	const struct cx_pub *by;
	bool is_new;
	int r;

	if (path == NULL || fetch_delta(f, o, path, e) < 0 ||
	    st_line_identity(&f->line, &identity, e) < 0)
		return -1;
	r = dl_file_open(path, &identity,
			 &all->seen.root.role[CX_ROLE_RELEASE].keys, &by, &file,
			 e);
	if (r == 0 && (!file.d.stored.there ||
		       file.d.stored.manifest_len != f->manifest.len ||
		       memcmp(file.d.stored.manifest, f->manifest.at,
			      f->manifest.len) != 0))
		r = err_set(e, ERR_AUTH, "%s:%" PRIu64 ": its delta makes "
			    "something else", f->offer->name,
			    f->version->number);
	progress_begin(&all->progress, f->offer->name, true, 0);
	if (r == 0)
		r = dl_stored_apply(&file, all->p->repo, &all->progress, ret,
				    &is_new, e);
	if (r == 0 || e->kind == ERR_AUTH || e->kind == ERR_CORRUPT)
		(void)unlink(path);
	return r;
}

static int
by_records(struct fetching *f, struct st_ref *ret, struct err *e)
{
	DL_SEEDS_SCOPED struct dl_seeds s = DL_SEEDS_EMPTY;

	if (dl_pull_records(f, &s, e) < 0)
		return -1;
	return dl_pull_store(f, &s, ret, e);
}

/* A delta to this version from one that is here: 1 found, 0 there is none. */
static int
find_delta(struct pulling *all, const struct dl_offered *v,
	   const struct dl_offer **ret, struct err *e)
{
	struct st_ref ref;

	for (size_t i = 0; i < v->deltas; i++) {
		int here = dl_stored_find(all->p->repo, v->delta[i].from.at,
					  &ref, e);

		if (here < 0)
			return -1;
		if (here == 1) {
			*ret = &v->delta[i];
			return 1;
		}
	}
	return 0;
}

static int
pull_one(struct pulling *all, const struct dl_line *l,
	 const struct dl_offered *v, struct st_ref *ret, struct err *e)
{
	SCOPED(fetching_done) struct fetching f = {
		.all = all, .offer = l, .version = v, .line = ST_LINE_EMPTY,
		.manifest = BUF_EMPTY, .parsed = ST_VERSION_EMPTY,
		.index = ST_INDEX_EMPTY,
	};
	const struct dl_offer *delta = NULL;
	int found;

	if (prepare(&f, e) < 0)
		return -1;
	found = find_delta(all, v, &delta, e);
	if (found < 0)
		return -1;
	if (found == 1)
		return by_delta(&f, &delta->file, ret, e);

	bool inherited = all->parts.inherited;
	if (by_records(&f, ret, e) == 0)
		return 0;
	/* What an interruption left may be worth nothing: once without it. */
	if (!inherited || (e->kind != ERR_AUTH && e->kind != ERR_CORRUPT))
		return -1;
	dl_parts_clear(&all->parts);
	st_index_done(&f.index);
	*e = (struct err)ERR_INIT;
	return by_records(&f, ret, e);
}

/* The versions between one that is here and this one, if deltas lead from each
 * to the next; else only this one. */
static int
plan_chain(struct pulling *all, const struct dl_line *l,
	   const struct dl_offered *v,
	   const struct dl_offered *chain[CHAIN_MAX], size_t *ret, struct err *e)
{
	const struct dl_offer *delta;
	size_t n = 0;

	chain[n++] = v;
	for (const struct dl_offered *at = v; n < CHAIN_MAX;) {
		int found = find_delta(all, at, &delta, e);

		if (found < 0)
			return -1;
		if (found == 1) {
			*ret = n;
			return 0;
		}
		at = at->deltas == 0 ? NULL :
			dl_line_manifest(l, &at->delta[0].from);
		if (at == NULL || at->number >= chain[n - 1]->number)
			break;
		chain[n++] = at;
	}
	*ret = 1;
	return 0;
}

/* Have a version here: *ret_new tells whether it had to come. */
static int
pull_version(struct pulling *all, const struct dl_line *l,
	     const struct dl_offered *v, struct err *e)
{
	const struct dl_offered *chain[CHAIN_MAX];
	struct st_ref ref;
	size_t n;
	int here = dl_stored_find(all->p->repo, v->manifest.id.at, &ref, e);

	if (here < 0)
		return -1;
	if (here == 1) {
		all->p->tell(&ref, false);
		return 0;
	}
	if (plan_chain(all, l, v, chain, &n, e) < 0)
		return -1;
	while (n > 0) {
		if (pull_one(all, l, chain[--n], &ref, e) < 0)
			return -1;
		if (!st_id_equal(&ref.version, &chain[n]->manifest.id))
			return err_set(e, ERR_AUTH, "%s: has become another "
				       "version than was offered", ref.name);
		progress_end(&all->progress);
		all->p->tell(&ref, true);
	}
	return 0;
}

/* ---- all of them --------------------------------------------------------- */

/* NAME or NAME:VER. */
static int
pull_named(struct pulling *all, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	size_t n = colon == NULL ? strlen(text) : (size_t)(colon - text);
	SCOPED_FREE char *name = mem_strn(text, n, e);
	const struct dl_offered *v;
	uint64_t number = 0;

	if (name == NULL)
		return -1;
	if (!st_name_ok(name) ||
	    (colon != NULL && !num_parse(colon + 1, 1, UINT64_MAX, false,
					 &number)))
		return err_set(e, ERR_USAGE, "%s: is neither NAME nor "
			       "NAME:VERSION", text);

	const struct dl_line *l = dl_release_line(&all->release, name);
	if (l == NULL)
		return err_set(e, ERR_NO, "%s: no such image at %s", name,
			       dl_remote_name(all->p->remote));
	v = number == 0 ? dl_line_newest(l) : dl_line_version(l, number);
	if (v == NULL)
		return err_set(e, ERR_NO, "%s: no such version at %s", text,
			       dl_remote_name(all->p->remote));
	return pull_version(all, l, v, e);
}

/* The newest of every line that is for this key. */
static int
pull_all(struct pulling *all, struct err *e)
{
	size_t ours = 0;

	for (size_t i = 0; i < all->release.lines; i++) {
		const struct dl_line *l = &all->release.line[i];
		ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
		struct err closed = ERR_INIT;

		if (open_line(all, l, &line, &closed) < 0) {
			if (closed.kind == ERR_AUTH)
				continue;
			*e = closed;
			return -1;
		}
		ours++;
		if (pull_version(all, l, dl_line_newest(l), e) < 0)
			return -1;
	}
	if (ours == 0)
		return err_set(e, ERR_AUTH, "%s: nothing there is sealed to this "
			       "key", dl_remote_name(all->p->remote));
	return 0;
}

/* Packs that an interrupted pull brought are known from here on. */
static int
adopt_packs(struct st_repo *r, struct err *e)
{
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(r, e);

	return w == NULL ? -1 : 0;
}

int
dl_pull(const struct dl_pull *p, struct err *e)
{
	SCOPED(pulling_done) struct pulling all = {
		.p = p, .seen = DL_SEEN_EMPTY, .release = DL_RELEASE_EMPTY,
		.parts = DL_PARTS_EMPTY,
	};
	int there;

	if (st_repo_kind(p->repo) != ST_REPO_CLIENT)
		return err_set(e, ERR_USAGE, "%s: is no client's repository; "
			       "make one with imgtool init --client",
			       st_repo_path(p->repo));
	if (dl_parts_open(&all.parts, st_repo_path(p->repo), e) < 0 ||
	    adopt_packs(p->repo, e) < 0)
		return -1;
	there = dl_trust_update(p->remote, &p->trust, &all.seen, &all.release,
				e);
	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_NO, "%s: nothing was ever pushed there",
			       dl_remote_name(p->remote));
	for (size_t i = 0; i < p->wanteds; i++)
		if (pull_named(&all, p->wanted[i], e) < 0)
			return -1;
	if (p->wanteds == 0 && pull_all(&all, e) < 0)
		return -1;
	dl_parts_clear(&all.parts);
	return 0;
}
