/* gc.c - see gc.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/gc.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/hash.h"
#include "store/version.h"
#include "store/writer-private.h"

/* A pack, and which of its records some version needs. */
struct gc_pack {
	struct st_id id;
	uint64_t len;
	uint32_t records, live;
	uint8_t *bit;			/* NULL: none is needed */
	bool goes;
};

struct gc {
	struct st_repo *repo;
	struct progress *progress;
	bool dry;
	struct st_gc sum;
	struct gc_pack *pack;		/* sorted by id */
	size_t packs;
	struct st_refs refs;		/* every version */
};

static void
gc_done(struct gc *g)
{
	for (size_t i = 0; i < g->packs; i++)
		free(g->pack[i].bit);
	free(g->pack);
	st_refs_done(&g->refs);
}

/* ---- what there is, and what is needed ----------------------------------- */

static int
by_id(const void *a, const void *b)
{
	const struct gc_pack *x = a, *y = b;

	return memcmp(&x->id, &y->id, sizeof(x->id));
}

static struct gc_pack *
find_pack(const struct gc *g, const struct st_id *id)
{
	struct gc_pack key = { .id = *id };

	return g->packs == 0 ? NULL :
		bsearch(&key, g->pack, g->packs, sizeof(key), by_id);
}

static int
list_packs(struct gc *g, struct err *e)
{
	ST_PACK_FILES_SCOPED struct st_pack_files files = ST_PACK_FILES_EMPTY;

	if (st_repo_pack_files(g->repo, &files, e) < 0)
		return -1;
	g->pack = mem_array(files.count, sizeof(*g->pack), e);
	if (g->pack == NULL)
		return -1;
	for (; g->packs < files.count; g->packs++)
		g->pack[g->packs] = (struct gc_pack){
			.id = files.at[g->packs].id,
			.len = files.at[g->packs].len };
	g->sum.packs = g->packs;
	return 0;
}

/* A pack that a version needs: ERR_CORRUPT when it is not there. */
static int
needed_pack(const struct gc *g, const struct st_ref *ref,
	    const struct st_list_pack *l, struct gc_pack **ret, struct err *e)
{
	struct gc_pack *p = find_pack(g, &l->pack);
	char hex[ST_ID_HEX];

	*ret = p;
	if (p != NULL && (p->bit == NULL || p->records == l->records))
		return 0;
	return err_set(e, ERR_CORRUPT, "%s:%llu: packs/%s.pack is %s; import "
		       "the disk again, or remove the version", ref->name,
		       (unsigned long long)ref->number,
		       st_id_hex(&l->pack, hex), p == NULL ? "missing" :
		       "another than its clear list says");
}

static int
need_pack(struct gc *g, const struct st_ref *ref, const struct st_list_pack *l,
	  struct err *e)
{
	size_t n = ((size_t)l->records + 7) / 8;
	struct gc_pack *p;

	if (needed_pack(g, ref, l, &p, e) < 0)
		return -1;
	if (p->bit == NULL) {
		p->bit = mem_array(n, 1, e);
		if (p->bit == NULL)
			return -1;
		p->records = l->records;
	}
	for (size_t i = 0; i < n; i++) {
		p->live += (uint32_t)__builtin_popcount(
			(unsigned)(l->bit[i] & ~p->bit[i]));
		p->bit[i] |= l->bit[i];
	}
	return 0;
}

/* A list that names a pack that is gone is made again, where our key opens the
 * version and all of it is there, stored again since. */
static int
renew_list(struct gc *g, const struct st_ref *ref, struct st_list *l,
	   struct err *e)
{
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
	ST_LIST_SCOPED struct st_list fresh = ST_LIST_EMPTY;
	struct err missing = ERR_INIT, why = ERR_INIT;
	struct gc_pack *p;

	for (size_t i = 0; i < l->count && missing.kind == ERR_NONE; i++)
		(void)needed_pack(g, ref, &l->at[i], &p, &missing);
	if (missing.kind == ERR_NONE)
		return 0;
	if (st_version_load(g->repo, ref, &line, &v, &why) < 0 ||
	    st_version_list(g->repo, &line, &v.root, &fresh, &why) < 0) {
		*e = missing;
		return -1;
	}
	if (!g->dry && st_version_put_list(g->repo, &ref->version, &fresh,
					   e) < 0)
		return -1;
	st_list_done(l);
	*l = TAKE(fresh);
	return 0;
}

/* Without the list of even one version nobody knows what is needed. */
static int
mark_version(struct gc *g, const struct st_ref *ref, struct err *e)
{
	ST_LIST_SCOPED struct st_list l = ST_LIST_EMPTY;

	if (st_list_load(g->repo, &ref->version, &l, e) < 0)
		return err_ctx(e, "%s:%llu", ref->name,
			       (unsigned long long)ref->number);
	if (renew_list(g, ref, &l, e) < 0)
		return -1;
	for (size_t k = 0; k < l.count; k++)
		if (need_pack(g, ref, &l.at[k], e) < 0)
			return -1;
	return 0;
}

static int
mark(struct gc *g, struct err *e)
{
	if (st_ref_all(g->repo, &g->refs, e) < 0)
		return -1;
	for (size_t i = 0; i < g->refs.count; i++)
		if (mark_version(g, &g->refs.at[i], e) < 0)
			return -1;
	for (size_t i = 0; i < g->packs; i++) {
		struct gc_pack *p = &g->pack[i];

		p->goes = p->live == 0 || p->live < p->records - p->live;
		if (!p->goes)
			continue;
		if (p->live == 0)
			g->sum.dead++;
		else
			g->sum.rewritten++;
		g->sum.freed += p->live == 0 ? p->len :
			p->len - p->len * p->live / p->records;
	}
	return 0;
}

/* ---- writing what stays -------------------------------------------------- */

static bool
has_bit(const struct gc_pack *p, uint32_t number)
{
	return number < p->records && (p->bit[number / 8] >> number % 8 & 1) != 0;
}

static int
slurp_pack(const struct gc *g, const struct st_id *id, uint8_t **ret,
	   size_t *ret_len, struct st_entries *entries, struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(g->repo, e, "packs/%s.pack",
					      st_id_hex(id, hex));
	SCOPED_FREE uint8_t *in = NULL;
	struct st_id real;
	size_t len;

	if (path == NULL || io_slurp(path, ST_PACK_MAX, &in, &len, e) < 0)
		return -1;
	cx_hash(real.at, in, len);
	if (!st_id_equal(&real, id))
		return err_set(e, ERR_CORRUPT, "%s: pack is damaged", path);
	if (st_pack_parse(path, in, len, entries, e) < 0)
		return -1;
	*ret = TAKE(in);
	*ret_len = len;
	return 0;
}

static int
rewrite(struct gc *g, struct st_writer *w, struct gc_pack *p, struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	SCOPED_FREE uint8_t *in = NULL;
	struct err damaged = ERR_INIT;
	size_t len;

	if (slurp_pack(g, &p->id, &in, &len, &entries, &damaged) < 0) {
		if (damaged.kind != ERR_CORRUPT) {
			*e = damaged;
			return -1;
		}
		p->goes = false;	/* what is left of it may be needed */
		return 0;
	}
	for (size_t i = 0; i < entries.count; i++) {
		const struct st_entry *x = &entries.at[i];

		if (has_bit(p, x->number) &&
		    st_writer_append(w, x->kind, &x->id, in + x->at, x->len,
				     e) < 0)
			return -1;
	}
	progress_add(g->progress, len);
	progress_show(g->progress);
	return stop_check(e);
}

static int
rewrite_all(struct gc *g, struct st_writer *w, struct err *e)
{
	for (size_t i = 0; i < g->packs; i++)
		if (g->pack[i].goes && g->pack[i].live > 0 &&
		    rewrite(g, w, &g->pack[i], e) < 0)
			return -1;
	if (st_writer_close_pack(w, e) < 0)
		return -1;
	/* An interrupted run may have written the same, which nobody needed until
	 * now. */
	for (size_t i = 0; i < g->packs; i++)
		if (st_writer_wrote_pack(w, &g->pack[i].id))
			g->pack[i].goes = false;
	return st_writer_flush_index(w, e);
}

/* ---- an index without what goes ------------------------------------------ */

static bool
pack_goes(void *arg, const struct st_id *id)
{
	const struct gc_pack *p = find_pack(arg, id);

	return p != NULL && p->goes;
}

/* ---- lists that say where records are now -------------------------------- */

/* Mark in `out` what the list marks in a pack that goes: it is elsewhere now. */
static int
move_marks(struct gc *g, const struct st_list_pack *l, struct st_list *out,
	   size_t *hint, struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	SCOPED_FREE uint8_t *in = NULL;
	size_t len;

	if (slurp_pack(g, &l->pack, &in, &len, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.count; i++) {
		const struct st_index *ix;
		struct st_place p;

		if ((l->bit[i / 8] >> i % 8 & 1) == 0)
			continue;
		ix = st_repo_index_get(g->repo, e);
		if (ix == NULL)
			return -1;
		int found = st_index_find(ix, &entries.at[i].id, &p, e);
		st_repo_index_put(g->repo);
		if (found < 0)
			return -1;
		if (found == 0)
			return err_set(e, ERR_CORRUPT, "%s: a record was lost "
				       "from the index", g->repo->path);
		if (st_list_mark(out, &p.pack.id, p.pack.records,
				 p.entry.number, hint, e) < 0)
			return -1;
	}
	return 0;
}

static int
move_list(struct gc *g, const struct st_ref *ref, struct err *e)
{
	ST_LIST_SCOPED struct st_list was = ST_LIST_EMPTY;
	ST_LIST_SCOPED struct st_list is = ST_LIST_EMPTY;
	bool any = false;
	size_t hint = 0;

	if (st_list_load(g->repo, &ref->version, &was, e) < 0)
		return -1;
	for (size_t i = 0; i < was.count; i++)
		any |= pack_goes(g, &was.at[i].pack);
	if (!any)
		return 0;
	for (size_t i = 0; i < was.count; i++) {
		const struct st_list_pack *l = &was.at[i];

		if (pack_goes(g, &l->pack)) {
			if (move_marks(g, l, &is, &hint, e) < 0)
				return -1;
			continue;
		}
		for (uint32_t k = 0; k < l->records; k++)
			if ((l->bit[k / 8] >> k % 8 & 1) != 0 &&
			    st_list_mark(&is, &l->pack, l->records, k, &hint,
					 e) < 0)
				return -1;
	}
	return st_version_put_list(g->repo, &ref->version, &is, e);
}

/* ---- removing ------------------------------------------------------------ */

static int
remove_packs(struct gc *g, struct err *e)
{
	int alone = st_repo_lock_alone(g->repo, e);

	if (alone < 0)
		return -1;
	g->sum.postponed = alone == 0;
	for (size_t i = 0; alone == 1 && i < g->packs; i++) {
		char hex[ST_ID_HEX];
		SCOPED_FREE char *path = NULL;

		if (!g->pack[i].goes)
			continue;
		path = st_repo_file(g->repo, e, "packs/%s.pack",
				    st_id_hex(&g->pack[i].id, hex));
		if (path == NULL || (unlink(path) < 0 && errno != ENOENT)) {
			if (path != NULL)
				(void)err_sys(e, "%s", path);
			alone = -1;
		}
	}
	st_repo_close_packs(g->repo);
	st_repo_unlock_alone(g->repo);
	return alone < 0 ? -1 : 0;
}

static bool
has_ref(const struct gc *g, const struct st_id *version)
{
	for (size_t i = 0; i < g->refs.count; i++)
		if (st_id_equal(&g->refs.at[i].version, version))
			return true;
	return false;
}

/* Remove, or count, the files of a folder that `keep` does not want. */
static int
clean(struct gc *g, const char *folder, bool dry,
      bool (*keep)(const struct gc *g, const char *name), uint64_t *count,
      struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(g->repo, e, "%s", folder);
	DIR *d = dir == NULL ? NULL : opendir(dir);
	const struct dirent *x;

	if (dir == NULL)
		return -1;
	if (d == NULL)
		return err_sys(e, "%s", dir);
	while ((x = readdir(d)) != NULL) {
		if (x->d_name[0] == '.' || keep(g, x->d_name))
			continue;
		*count += strstr(x->d_name, ".list") == NULL;
		if (!dry)
			(void)unlinkat(dirfd(d), x->d_name, 0);
	}
	(void)closedir(d);
	return 0;
}

static bool
keep_version(const struct gc *g, const char *name)
{
	struct st_id id;

	if (!st_id_named(name, ".version", &id) && !st_id_named(name, ".list", &id))
		return true;
	return has_ref(g, &id);
}

/* The key of a line goes when no version of the line is left. */
static bool
keep_key(const struct gc *g, const char *name)
{
	uint8_t line[ST_LINE_BYTES];
	char hex[2 * ST_LINE_BYTES + 1];

	if (strlen(name) != 2 * ST_LINE_BYTES + 5 ||
	    strcmp(name + 2 * ST_LINE_BYTES, ".line") != 0)
		return true;
	memcpy(hex, name, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	if (!cx_unhex(line, sizeof(line), hex))
		return true;
	for (size_t i = 0; i < g->refs.count; i++) {
		ST_VERSION_SCOPED struct st_version v = ST_VERSION_EMPTY;
		struct err unreadable = ERR_INIT;

		if (st_version_load(g->repo, &g->refs.at[i], NULL, &v,
				    &unreadable) < 0 ||
		    memcmp(v.line, line, sizeof(line)) == 0)
			return true;
	}
	return false;
}

static int
sweep(struct gc *g, struct st_writer *w, struct err *e)
{
	progress_begin(g->progress, "gc", true, 0);
	if (rewrite_all(g, w, e) < 0)
		return -1;
	/* Lookups must find the new places before lists are made of them. */
	if (st_repo_filter_index(g->repo, pack_goes, g, e) < 0)
		return -1;
	for (size_t i = 0; i < g->refs.count; i++)
		if (move_list(g, &g->refs.at[i], e) < 0)
			return -1;
	if (st_writer_merge_index(w, e) < 0)
		return -1;
	return remove_packs(g, e);
}

int
st_gc(struct st_repo *r, bool dry, struct progress *p, struct st_gc *ret,
      struct err *e)
{
	SCOPED(gc_done) struct gc g = { .repo = r, .progress = p,
					.dry = dry, .refs = ST_REFS_EMPTY };
	ST_WRITER_SCOPED struct st_writer *w = st_writer_open(r, e);

	if (w == NULL || list_packs(&g, e) < 0 || mark(&g, e) < 0)
		return -1;
	if (!dry && g.sum.dead + g.sum.rewritten > 0 && sweep(&g, w, e) < 0)
		return -1;
	if (clean(&g, "versions", dry, keep_version, &g.sum.manifests, e) < 0 ||
	    clean(&g, "keys", dry, keep_key, &g.sum.lines, e) < 0)
		return -1;
	*ret = g.sum;
	return 0;
}
