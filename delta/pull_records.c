/* pull_records.c - which records of a mirror's packs are missing here, and getting them
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The clear list of a version says which records of which packs it needs, the
 * index fragments say where in the packs they lie and what they are called.
 * What no version here has is fetched, neighbours together; a pack that is
 * needed as a whole comes as it is and stays a pack.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/pull-private.h"
#include "delta/remote.h"
#include "delta/seed.h"
#include "store/image.h"

enum { GAP = 8 << 10 };		/* so many bytes nobody wants are not worth a request */

#define FRAGMENT_MAX (256u << 20)

/* Records to look for, and the packs that have them. */
struct plan {
	struct fetching *f;
	struct st_list list;
	struct st_index_new all;	/* what the fragments say */
	uint32_t *of;			/* of each pack in `all`: in `list`, or none */
};

#define NOT_LISTED UINT32_MAX

static void
plan_done(struct plan *p)
{
	st_list_done(&p->list);
	st_index_new_done(&p->all);
	free(p->of);
}

/* ---- the mirror's index -------------------------------------------------- */

/* One fragment, checked, in REPO/incoming/index. */
static int
fetch_fragment(struct fetching *f, const struct dl_object *o, const char *dir,
	       struct err *e)
{
	struct pulling *all = f->all;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = mem_fmt(e, "%s/%s.index", dir,
					 st_id_hex(&o->id, hex));

	if (path == NULL)
		return -1;
	if (o->len > FRAGMENT_MAX)
		return err_set(e, ERR_CORRUPT, "%s: has an index of %" PRIu64
			       " bytes", f->offer->name, o->len);
	if (access(path, F_OK) == 0)
		return 0;
	if (dl_parts_want(&all->parts, &o->id, 0, o->len, e) < 0 ||
	    dl_parts_fetch(&all->parts, all->p->remote, "index", "index", NULL,
			   e) < 0)
		return -1;
	return dl_parts_join(&all->parts, o, path, f->offer->name, e);
}

static int
fetch_index(struct fetching *f, struct err *e)
{
	SCOPED_FREE char *dir = io_join(f->all->parts.dir, "index", e);

	if (dir == NULL || io_mkdirs(dir, 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < f->version->indexes; i++)
		if (fetch_fragment(f, &f->version->index[i], dir, e) < 0 ||
		    st_index_add(&f->index, dir, &f->version->index[i].id,
				 e) < 0)
			return -1;
	return 0;
}

static int
fetch_list(struct plan *p, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;
	const struct dl_offered *v = p->f->version;

	if (dl_pull_small(p->f->all, "versions", &v->manifest.id, "list",
			  &v->list, &b, e) < 0)
		return -1;
	return st_list_parse(p->f->offer->name, b.at, b.len, &v->manifest.id,
			     &p->list, e);
}

/* ---- what of it is missing ----------------------------------------------- */

static int
by_pack_and_place(const void *a, const void *b)
{
	const struct st_index_record *x = a, *y = b;

	if (x->pack != y->pack)
		return (x->pack > y->pack) - (x->pack < y->pack);
	return (x->entry.at > y->entry.at) - (x->entry.at < y->entry.at);
}

/* Find each pack of the index in the list. */
static int
match_packs(struct plan *p, struct err *e)
{
	size_t found = 0;

	p->of = mem_array(p->all.packs, sizeof(*p->of), e);
	if (p->of == NULL)
		return -1;
	for (size_t i = 0; i < p->all.packs; i++) {
		size_t low = 0, high = p->list.count;

		p->of[i] = NOT_LISTED;
		while (low < high) {
			size_t mid = low + (high - low) / 2;
			int c = memcmp(&p->list.at[mid].pack,
				       &p->all.pack[i].id, sizeof(struct st_id));

			if (c == 0 && p->list.at[mid].records ==
				      p->all.pack[i].records) {
				p->of[i] = (uint32_t)mid;
				found++;
			}
			if (c < 0)
				low = mid + 1;
			else
				high = mid;
		}
	}
	if (found < p->list.count)
		return err_set(e, ERR_CORRUPT, "%s: the mirror's index lacks "
			       "some of its packs", p->f->offer->name);
	return 0;
}

/* Does the version need this record, and is it not here?  1 yes, 0 no. */
static int
is_missing(struct plan *p, const struct st_index_record *r, struct err *e)
{
	const struct st_list_pack *l;
	uint32_t n = r->entry.number;
	int here;

	if (p->of[r->pack] == NOT_LISTED)
		return 0;
	l = &p->list.at[p->of[r->pack]];
	if (n >= l->records || (l->bit[n / 8] >> n % 8 & 1) == 0)
		return 0;
	if (!num_in_range(r->entry.at, r->entry.len, p->all.pack[r->pack].len))
		return err_set(e, ERR_CORRUPT, "%s: the mirror's index is wrong",
			       p->f->offer->name);
	here = st_repo_has(p->f->all->p->repo, &r->entry.id, e);
	return here < 0 ? -1 : !here;
}

/* Keep only the records of `all` that are to be fetched. */
static int
keep_missing(struct plan *p, bool maps, bool chunks, const struct dl_seeds *s,
	     struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->all.records; i++) {
		const struct st_index_record *r = &p->all.record[i];
		bool is_chunk = r->entry.kind == ST_KIND_CHUNK;
		int missing;

		if (!(is_chunk ? chunks : maps) ||
		    (is_chunk && dl_seeds_find(s, &r->entry.id) != NULL))
			continue;
		missing = is_missing(p, r, e);
		if (missing < 0)
			return -1;
		if (missing == 1)
			p->all.record[kept++] = *r;
	}
	p->all.records = kept;
	mem_sort(p->all.record, kept, sizeof(*p->all.record),
		 by_pack_and_place);
	return 0;
}

/* ---- fetching ------------------------------------------------------------ */

/* Records [from, to) of the plan are one pack's: want them, near ones together. */
static int
want_runs(struct plan *p, size_t from, size_t to, struct err *e)
{
	const struct st_index_record *r = p->all.record;
	const struct st_pack_info *pack = &p->all.pack[r[from].pack];
	struct dl_parts *parts = &p->f->all->parts;

	if (to - from == pack->records && !dl_parts_any(parts, &pack->id))
		return dl_parts_want(parts, &pack->id, 0, pack->len, e);
	for (size_t i = from; i < to;) {
		uint64_t at = r[i].entry.at, end = at + r[i].entry.len;
		bool begun = dl_parts_covers(parts, &pack->id, at);
		size_t k = i + 1;

		/* Not into what was begun before an interruption. */
		while (!begun && k < to && r[k].entry.at <= end + GAP &&
		       !dl_parts_covers(parts, &pack->id, r[k].entry.at)) {
			end = r[k].entry.at + r[k].entry.len;
			k++;
		}
		if (dl_parts_want(parts, &pack->id, at, end - at, e) < 0)
			return -1;
		i = k;
	}
	return 0;
}

static int
want_all(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->all.records;) {
		size_t k = i;

		while (k < p->all.records &&
		       p->all.record[k].pack == p->all.record[i].pack)
			k++;
		if (want_runs(p, i, k, e) < 0)
			return -1;
		i = k;
	}
	return 0;
}

/* A pack that came as a whole is one of the repository's from here on. */
static int
keep_whole_packs(struct plan *p, struct err *e)
{
	struct pulling *all = p->f->all;

	for (size_t i = 0; i < p->all.packs; i++) {
		const struct st_pack_info *pack = &p->all.pack[i];
		const struct dl_object o = { .id = pack->id, .len = pack->len };
		char hex[ST_ID_HEX];
		SCOPED_FREE char *path = NULL;

		if (!dl_parts_whole(&all->parts, &o))
			continue;
		path = mem_fmt(e, "%s/packs/%s.pack", st_repo_path(all->p->repo),
			       st_id_hex(&pack->id, hex));
		if (path == NULL ||
		    dl_parts_join(&all->parts, &o, path, p->f->offer->name,
				  e) < 0)
			return -1;
	}
	return 0;
}

/* The records of these kinds that neither repository nor seeds have. */
static int
fetch_kinds(struct fetching *f, bool maps, bool chunks, const struct dl_seeds *s,
	    struct err *e)
{
	SCOPED(plan_done) struct plan p = { .f = f, .list = ST_LIST_EMPTY,
					    .all = ST_INDEX_NEW_EMPTY };
	struct pulling *all = f->all;

	if (fetch_list(&p, e) < 0)
		return -1;
	for (size_t i = 0; i < f->version->indexes; i++)
		if (st_index_new_merge(&p.all, &f->index, i, NULL, NULL,
				       e) < 0)
			return -1;
	if (match_packs(&p, e) < 0 ||
	    keep_missing(&p, maps, chunks, s, e) < 0 || want_all(&p, e) < 0)
		return -1;
	progress_begin(&all->progress, f->offer->name, true,
		       dl_parts_missing(&all->parts));
	if (dl_parts_fetch(&all->parts, all->p->remote, "packs", "pack",
			   &all->progress, e) < 0)
		return -1;
	return keep_whole_packs(&p, e);
}

int
dl_pull_records(struct fetching *f, struct dl_seeds *s, struct err *e)
{
	if (fetch_index(f, e) < 0)
		return -1;
	if (f->all->p->seeds == 0)
		return fetch_kinds(f, true, true, s, e);
	/* The map must be here to say what a seed is good for. */
	if (fetch_kinds(f, true, false, s, e) < 0 ||
	    dl_seeds_look(s, f, e) < 0)
		return -1;
	return fetch_kinds(f, false, true, s, e);
}
