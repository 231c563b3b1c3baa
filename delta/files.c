/* files.c - see files.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "delta/make.h"
#include "disk/disk.h"
#include "disk/parts.h"

enum { CANDIDATES = 64 };	/* files of one name that are looked at */

static void
volume_done(struct dl_volume *v)
{
	vo_layout_done(&v->l);
	free(v->used);
	free(v->path);
	free(v->leaf);
}

void
dl_files_done(struct dl_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		volume_done(&f->at[i]);
	free(f->at);
	*f = (struct dl_files)DL_FILES_EMPTY;
}

void
dl_spots_done(struct dl_spots *s)
{
	free(s->at);
	*s = (struct dl_spots)DL_SPOTS_EMPTY;
}

/* ---- names ---- */

/* FNV-1a, 64 bits: for finding, with the name compared afterwards. */
static WRAPS uint64_t
hash_more(uint64_t h, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3;
	return h;
}

/* Of a stream of a thing called `name`. */
static uint64_t
hash_name(const struct vo_layout *l, const struct vo_placed *p,
	  const char *name)
{
	const char *stream = l->text + p->name;
	char type = (char)(p->type >> 4);
	uint64_t h = hash_more(0xcbf29ce484222325, name, strlen(name) + 1);

	h = hash_more(h, &type, 1);
	return hash_more(h, stream, strlen(stream));
}

static const char *
leaf_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
by_hash(const void *a, const void *b)
{
	const struct dl_key *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->placed < y->placed ? -1 : x->placed > y->placed;
}

static int
index_names(struct dl_volume *v, struct err *e)
{
	const struct vo_layout *l = &v->l;

	v->path = mem_array(l->count, sizeof(*v->path), e);
	v->leaf = mem_array(l->count, sizeof(*v->leaf), e);
	if (v->path == NULL || v->leaf == NULL)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		const struct vo_placed *p = &l->placed[i];
		SCOPED_FREE char *path = vo_layout_path(l, p->record, e);

		if (path == NULL)
			return -1;
		v->path[i] = (struct dl_key){ hash_name(l, p, path),
					      (uint32_t)i };
		v->leaf[i] = (struct dl_key){ hash_name(l, p, leaf_of(path)),
					      (uint32_t)i };
	}
	mem_sort(v->path, l->count, sizeof(*v->path), by_hash);
	mem_sort(v->leaf, l->count, sizeof(*v->leaf), by_hash);
	return 0;
}

/* ---- layouts ---- */

/* A layout that cannot be read is done without. */
static int
forgive(const struct err *was, struct err *e)
{
	if (was->kind == ERR_CORRUPT || was->kind == ERR_UNSUPPORTED)
		return 0;
	*e = *was;
	return -1;
}

static int
read_volume(struct dk *d, const struct dk_part *p, struct dl_files *f,
	    struct err *e)
{
	SCOPED(volume_done) struct dl_volume v = { .number = p->index };
	struct err was = ERR_INIT;

	if (vo_layout_read(d, p->start, p->size, &v.l, &was) < 0)
		return forgive(&was, e);
	if (v.l.count > UINT32_MAX)
		return 0;
	if (vo_layout_used(d, &v.l, &v.used, &v.clusters, &was) < 0 &&
	    forgive(&was, e) < 0)
		return -1;
	if (index_names(&v, e) < 0 ||
	    mem_grow(&f->at, &f->cap, f->count + 1, sizeof(*f->at), e) < 0)
		return -1;
	f->at[f->count++] = TAKE(v);
	return 0;
}

int
dl_files_read(struct dk *d, struct dl_files *ret, struct err *e)
{
	DK_PARTS_SCOPED struct dk_parts parts = DK_PARTS_EMPTY;
	DL_FILES_SCOPED struct dl_files f = DL_FILES_EMPTY;
	struct err was = ERR_INIT;

	if (d->size == 0)
		return 0;
	if (dk_parts_read(d, &parts, &was) < 0)
		return forgive(&was, e);
	for (size_t i = 0; i < parts.count; i++)
		if (read_volume(d, &parts.at[i], &f, e) < 0)
			return -1;
	*ret = TAKE(f);
	return 0;
}

/* ---- sorting changes ---- */

static int
by_place(const void *a, const void *b)
{
	const struct dl_spot *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int
by_file(const void *a, const void *b)
{
	const struct dl_spot *x = a, *y = b;

	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	if (x->placed != y->placed)
		return x->placed < y->placed ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* All runs of all files, by their places on the disk. */
static int
list_runs(const struct dl_files *f, struct dl_spots *ret, struct err *e)
{
	for (size_t v = 0; v < f->count; v++) {
		const struct vo_layout *l = &f->at[v].l;

		if (mem_grow(&ret->at, &ret->cap, ret->count + l->runs,
			     sizeof(*ret->at), e) < 0)
			return -1;
		for (size_t i = 0; i < l->count; i++)
			for (size_t k = 0; k < l->placed[i].runs; k++) {
				const struct vo_run *r =
					&l->run[l->placed[i].run + k];

				ret->at[ret->count++] = (struct dl_spot){
					.at = r->at, .len = r->len,
					.off = r->off, .volume = (uint32_t)v,
					.placed = (uint32_t)i };
			}
	}
	mem_sort(ret->at, ret->count, sizeof(*ret->at), by_place);
	return 0;
}

static int
add_change(struct dl_changes *c, uint64_t at, uint64_t len, struct err *e)
{
	if (mem_grow(&c->at, &c->cap, c->count + 1, sizeof(*c->at), e) < 0)
		return -1;
	c->at[c->count++] = (struct dl_extent){ .at = at, .len = len };
	return 0;
}

/*
 * Divide one change among the runs, of which those before *i lie before it.
 * Where runs overlap, the first has the place.
 */
static int
divide(struct dl_extent x, const struct dl_spots *runs, size_t *i,
       struct dl_spots *ret, struct dl_changes *rest, struct err *e)
{
	while (x.len > 0) {
		const struct dl_spot *r = NULL;
		uint64_t n = x.len;

		while (*i < runs->count &&
		       runs->at[*i].at + runs->at[*i].len <= x.at)
			++*i;
		if (*i < runs->count)
			r = &runs->at[*i];
		if (r == NULL || r->at > x.at) {
			if (r != NULL)
				n = num_min(n, r->at - x.at);
			if (add_change(rest, x.at, n, e) < 0)
				return -1;
		} else {
			n = num_min(n, r->len - (x.at - r->at));
			if (mem_grow(&ret->at, &ret->cap, ret->count + 1,
				     sizeof(*ret->at), e) < 0)
				return -1;
			ret->at[ret->count++] = (struct dl_spot){
				.at = x.at, .len = n,
				.off = r->off + (x.at - r->at),
				.volume = r->volume, .placed = r->placed };
		}
		x.at += n;
		x.len -= n;
	}
	return 0;
}

int
dl_files_sort(const struct dl_files *f, const struct dl_changes *all,
	      struct dl_spots *ret, struct dl_changes *ret_rest, struct err *e)
{
	DL_SPOTS_SCOPED struct dl_spots runs = DL_SPOTS_EMPTY;
	size_t i = 0;

	if (list_runs(f, &runs, e) < 0)
		return -1;
	for (size_t k = 0; k < all->count; k++)
		if (divide(all->at[k], &runs, &i, ret, ret_rest, e) < 0)
			return -1;
	mem_sort(ret->at, ret->count, sizeof(*ret->at), by_file);
	return 0;
}

/* ---- what a file was before ---- */

/* The first key with this hash. */
static size_t
find_key(const struct dl_key *key, size_t count, uint64_t hash)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t
common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

/* Of the streams with that hash, the one whose path is most like `path`, or with
 * `same` only that path. */
static int
best_match(const struct dl_volume *v, const struct dl_key *key, uint64_t hash,
	   const char *path, bool same, const struct vo_placed **ret,
	   struct err *e)
{
	size_t best = 0, i = find_key(key, v->l.count, hash);

	for (size_t n = 0; n < CANDIDATES && i < v->l.count &&
			   key[i].hash == hash; n++, i++) {
		const struct vo_placed *p = &v->l.placed[key[i].placed];
		SCOPED_FREE char *have = vo_layout_path(&v->l, p->record, e);
		size_t like;

		if (have == NULL)
			return -1;
		like = common_prefix(path, have) + 1;
		if (same && strcmp(path, have) != 0)
			continue;
		if (like > best && p->runs > 0) {
			best = like;
			*ret = p;
		}
	}
	return 0;
}

int
dl_files_before(const struct dl_files *old, const struct dl_volume *v,
		uint32_t placed, const struct dl_volume **ret_in,
		const struct vo_placed **ret, struct err *e)
{
	const struct vo_placed *p = &v->l.placed[placed];
	SCOPED_FREE char *path = vo_layout_path(&v->l, p->record, e);

	*ret = NULL;
	if (path == NULL)
		return -1;
	for (int same = 1; same >= 0 && *ret == NULL; same--)
		for (size_t i = 0; i < old->count && *ret == NULL; i++) {
			const struct dl_volume *o = &old->at[i];
			const char *name = same ? path : leaf_of(path);

			if (same && o->number != v->number)
				continue;
			*ret_in = o;
			if (best_match(o, same ? o->path : o->leaf,
				       hash_name(&v->l, p, name), path, same,
				       ret, e) < 0)
				return -1;
		}
	return 0;
}

/* ---- what lies at a place ---- */

static bool
lies_in(const struct vo_layout *l, const struct vo_placed *p, uint64_t at,
	uint64_t len)
{
	for (size_t i = 0; i < p->runs; i++) {
		const struct vo_run *r = &l->run[p->run + i];

		if (r->at < at + len && at < r->at + r->len)
			return true;
	}
	return false;
}

int
dl_files_at(const struct dl_files *f, uint64_t at, uint64_t len, char **ret,
	    struct err *e)
{
	*ret = NULL;
	for (size_t v = 0; v < f->count; v++) {
		const struct vo_layout *l = &f->at[v].l;

		for (size_t i = 0; i < l->count; i++)
			if (lies_in(l, &l->placed[i], at, len)) {
				*ret = vo_layout_path(l, l->placed[i].record, e);
				return *ret == NULL ? -1 : 0;
			}
	}
	return 0;
}
