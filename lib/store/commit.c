/* commit.c - a version is made: see writer.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Order: packs, index fragment, manifest, clear list, ref.  Before the ref there is
 * nothing anybody looks at.
 */
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "store/image.h"
#include "store/writer-private.h"

/* ---- maps by name -------------------------------------------------------- */

static int
open_map(struct st_repo *r, struct st_coder *coder, enum st_kind kind,
	 const struct st_line *line, const struct st_id *id, struct buf *out,
	 struct err *e)
{
	BUF_SCOPED struct buf rec = BUF_EMPTY;
	BUF_SCOPED struct buf scratch = BUF_EMPTY;
	char hex[ST_ID_HEX], what[ST_ID_HEX + 8];
	int found = st_repo_record(r, id, &rec, e);

	(void)snprintf(what, sizeof(what), "map %.16s", st_id_hex(id, hex));
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_CORRUPT, "%s: %s is missing", r->path,
			       what);
	return st_record_open(coder, kind, id, st_line_map_key(line), rec.at,
			      rec.len, what, ST_MAP_MAX, &scratch, out, e);
}

int
st_repo_segment(struct st_repo *r, struct st_coder *coder,
		const struct st_line *line, const struct st_id *id,
		struct st_map *ret, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (open_map(r, coder, ST_KIND_SEGMENT, line, id, &b, e) < 0)
		return -1;
	int parsed = st_map_parse(b.at, b.len, ret, e);
	explicit_bzero(b.at, b.len);	/* chunk keys */
	return parsed;
}

int
st_repo_root(struct st_repo *r, struct st_coder *coder,
	     const struct st_line *line, const struct st_id *id,
	     struct st_root *ret, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (open_map(r, coder, ST_KIND_ROOT, line, id, &b, e) < 0)
		return -1;
	return st_root_parse(b.at, b.len, ret, e);
}

/* ---- the clear list ------------------------------------------------------ */

/* A list being made, and where it last was. */
struct marking {
	struct st_repo *repo;
	struct st_list list;
	size_t hint;
};

static int
mark(struct marking *m, const struct st_id *id, struct err *e)
{
	const struct st_index *ix = st_repo_index_get(m->repo, e);
	struct st_place p;

	if (ix == NULL)
		return -1;
	int found = st_index_find(ix, id, &p, e);
	st_repo_index_put(m->repo);
	if (found < 0)
		return -1;
	if (found == 0) {
		char hex[ST_ID_HEX];

		return err_set(e, ERR_CORRUPT, "%s: record %.16s is missing",
			       m->repo->path, st_id_hex(id, hex));
	}
	return st_list_mark(&m->list, &p.pack.id, p.pack.records,
			    p.entry.number, &m->hint, e);
}

static int
mark_all(struct marking *m, const struct st_line *line,
	 const struct st_id *root_id, struct err *e)
{
	ST_CODER_SCOPED struct st_coder *coder = st_coder_new(e);
	ST_ROOT_SCOPED struct st_root root = ST_ROOT_EMPTY;

	if (coder == NULL || mark(m, root_id, e) < 0 ||
	    st_repo_root(m->repo, coder, line, root_id, &root, e) < 0)
		return -1;
	for (size_t i = 0; i < root.segments; i++) {
		ST_MAP_SCOPED struct st_map map = ST_MAP_EMPTY;
		const struct st_id *id = &root.segment[i].id;

		if (mark(m, id, e) < 0 ||
		    st_repo_segment(m->repo, coder, line, id, &map, e) < 0)
			return -1;
		for (size_t k = 0; k < map.chunks; k++)
			if (mark(m, &map.chunk[k].id, e) < 0)
				return -1;
	}
	return 0;
}

int
st_version_list(struct st_repo *r, const struct st_line *line,
		const struct st_id *root, struct st_list *ret, struct err *e)
{
	struct marking m = { .repo = r, .list = ST_LIST_EMPTY };

	if (mark_all(&m, line, root, e) < 0) {
		st_list_done(&m.list);
		return -1;
	}
	*ret = m.list;
	return 0;
}

/* ---- the version --------------------------------------------------------- */

static int
put_file(const struct st_repo *r, const struct st_id *id, const char *suffix,
	 const void *at, size_t len, struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(r, e, "versions/%s.%s",
					      st_id_hex(id, hex), suffix);

	return path == NULL ? -1 : io_put(path, at, len, 0644, e);
}

int
st_version_put_list(const struct st_repo *r, const struct st_id *version,
		    struct st_list *l, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	if (st_list_encode(l, version, r->key, &b, e) < 0)
		return -1;
	return put_file(r, version, "list", b.at, b.len, e);
}

/* Manifest, list and ref of a version whose records are all written. */
static int
publish(struct st_writer *w, const struct st_line *line,
	const struct st_id *root, const void *manifest, size_t len,
	const struct st_ref *ref, struct err *e)
{
	ST_LIST_SCOPED struct st_list list = ST_LIST_EMPTY;

	if (st_version_list(w->repo, line, root, &list, e) < 0 ||
	    put_file(w->repo, &ref->version, "version", manifest, len, e) < 0 ||
	    st_version_put_list(w->repo, &ref->version, &list, e) < 0)
		return -1;
	return st_ref_put(w->repo, ref, e);
}

static int
close_all(struct st_writer *w, struct err *e)
{
	if (st_writer_close_pack(w, e) < 0 || st_writer_flush_index(w, e) < 0)
		return -1;
	return st_writer_merge_index(w, e);
}

static int
need_key(const struct st_repo *r, struct err *e)
{
	if (r->key != NULL)
		return 0;
	return err_set(e, ERR_USAGE, "%s: needs a private key; give --key FILE",
		       r->path);
}

int
st_writer_commit(struct st_writer *w, const struct st_line *line,
		 struct st_version *v, struct st_ref *ret, struct err *e)
{
	BUF_SCOPED struct buf manifest = BUF_EMPTY;
	struct st_ref ref = { .number = 0 };
	uint64_t last;

	if (need_key(w->repo, e) < 0 || close_all(w, e) < 0 ||
	    st_ref_last(w->repo, v->name, &last, e) < 0)
		return -1;
	memcpy(v->domain, w->repo->domain, sizeof(v->domain));
	memcpy(v->line, line->id, sizeof(v->line));
	if (v->number == 0)
		v->number = last + 1;
	v->added = w->stats.new_bytes;
	v->stored = w->stats.stored_bytes;
	if (st_version_encode(v, line, w->repo->key, &manifest, &ref.version,
			      e) < 0)
		return -1;
	(void)snprintf(ref.name, sizeof(ref.name), "%s", v->name);
	ref.number = v->number;
	if (publish(w, line, &v->root, manifest.at, manifest.len, &ref, e) < 0)
		return -1;
	*ret = ref;
	return 0;
}

int
st_writer_commit_manifest(struct st_writer *w, const struct st_line *line,
			  const void *manifest, size_t len, struct st_ref *ret,
			  struct err *e)
{
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	struct st_ref ref = { .number = 0 };

	if (need_key(w->repo, e) < 0 ||
	    st_version_parse("manifest", manifest, len, line, &v, e) < 0)
		return -1;
	if (!w->repo->has_domain || memcmp(v.line, line->id, 16) != 0 ||
	    memcmp(v.domain, w->repo->domain, 16) != 0)
		return err_set(e, ERR_AUTH, "%s:%llu: is of another repository",
			       v.name, (unsigned long long)v.number);
	if (close_all(w, e) < 0)
		return -1;
	cx_hash(ref.version.at, manifest, len);
	(void)snprintf(ref.name, sizeof(ref.name), "%s", v.name);
	ref.number = v.number;
	if (publish(w, line, &v.root, manifest, len, &ref, e) < 0)
		return -1;
	*ret = ref;
	return 0;
}
