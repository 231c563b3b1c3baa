/* mend.c - an index that fits the packs that are there
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The index only repeats what the packs say, so whatever is lost or damaged of it
 * is made again from them, without a key: by a reader in memory, from the headers
 * of records; by a writer on disk, from packs whose bytes have their name.  What
 * the index says of packs that are gone is dropped, so that their contents count
 * as not there, and an import stores them again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "store/writer-private.h"

/* ---- the packs there are ------------------------------------------------- */

void
st_pack_files_done(struct st_pack_files *l)
{
	free(l->at);
	*l = (struct st_pack_files)ST_PACK_FILES_EMPTY;
}

static int
by_id(const void *a, const void *b)
{
	const struct st_pack_file *x = a, *y = b;

	return memcmp(&x->id, &y->id, sizeof(x->id));
}

static const struct st_pack_file *
find_file(const struct st_pack_files *l, const struct st_id *id)
{
	struct st_pack_file key = { .id = *id };

	return l->count == 0 ? NULL :
		bsearch(&key, l->at, l->count, sizeof(key), by_id);
}

static int
add_file(struct st_pack_files *l, int dir, const char *name, struct err *e)
{
	struct st_pack_file x;
	struct stat st;

	if (!st_id_named(name, ".pack", &x.id))
		return 0;
	if (fstatat(dir, name, &st, 0) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	if (mem_grow(&l->at, &l->cap, l->count + 1, sizeof(*l->at), e) < 0)
		return -1;
	x.len = (uint64_t)st.st_size;
	l->at[l->count++] = x;
	return 0;
}

int
st_repo_pack_files(const struct st_repo *r, struct st_pack_files *ret,
		   struct err *e)
{
	ST_PACK_FILES_SCOPED struct st_pack_files l = ST_PACK_FILES_EMPTY;
	SCOPED_FREE char *path = st_repo_file(r, e, "packs");
	DIR *d = path == NULL ? NULL : opendir(path);
	const struct dirent *x;
	int bad = 0;

	if (path == NULL)
		return -1;
	if (d == NULL)
		return err_sys(e, "%s", path);
	while (bad == 0 && (x = readdir(d)) != NULL)
		bad = add_file(&l, dirfd(d), x->d_name, e);
	(void)closedir(d);
	if (bad < 0)
		return -1;
	mem_sort(l.at, l.count, sizeof(*l.at), by_id);
	*ret = TAKE(l);
	return 0;
}

/* Take those that `ix` lists out of the files. */
static int
take_listed(struct st_pack_files *l, const struct st_index *ix, struct err *e)
{
	SCOPED_FREE bool *listed = mem_array(l->count, sizeof(*listed), e);
	size_t n = st_index_packs(ix), kept = 0;

	if (listed == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct st_pack_file *f;
		struct st_pack_info p;

		if (st_index_pack(ix, i, &p, e) < 0)
			return -1;
		f = find_file(l, &p.id);
		if (f != NULL)
			listed[f - l->at] = true;
	}
	for (size_t i = 0; i < l->count; i++)
		if (!listed[i])
			l->at[kept++] = l->at[i];
	l->count = kept;
	return 0;
}

/* ---- for readers, in memory ---------------------------------------------- */

/* What the headers of a pack's records say, as far as they go. */
static int
read_headers(int fd, uint64_t len, const char *path, struct st_entries *ret,
	     struct err *e)
{
	uint8_t raw[ST_RECORD_HEADER];

	for (uint64_t at = ST_PACK_HEADER; at < len;) {
		struct err cut = ERR_INIT;
		struct cur c = cur_over(path, raw, sizeof(raw));
		struct st_record h;

		if (io_read_at(fd, raw, sizeof(raw), at, path, &cut) < 0)
			return 0;
		h = st_record_header(&c);
		if (!cur_ok(&c))
			return 0;
		if (mem_grow(&ret->at, &ret->cap, ret->count + 1,
			     sizeof(*ret->at), e) < 0)
			return -1;
		ret->at[ret->count] = (struct st_entry){
			.id = h.id, .at = (uint32_t)at, .kind = h.kind,
			.len = h.body_len + ST_RECORD_HEADER,
			.number = (uint32_t)ret->count };
		ret->count++;
		at += h.body_len + ST_RECORD_HEADER;
	}
	return 0;
}

static int
list_headers(const struct st_repo *r, const struct st_pack_file *f,
	     struct st_index_new *n, struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(r, e, "packs/%s.pack",
					      st_id_hex(&f->id, hex));
	SCOPED_FD int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	struct st_pack_info info = { .id = f->id };

	if (path == NULL)
		return -1;
	if (fd < 0 || f->len > ST_PACK_MAX)
		return 0;	/* went just now, or is no pack */
	if (read_headers(fd, f->len, path, &entries, e) < 0)
		return -1;
	info.len = (uint32_t)f->len;
	info.records = (uint32_t)entries.count;
	return st_index_new_pack(n, &info, &entries, e);
}

static bool
is_gone(void *arg, const struct st_id *id)
{
	return find_file(arg, id) == NULL;
}

/* Does a fragment list a pack that goes?  Its packs begin at number `first`. */
static int
lists_gone(const struct st_index *ix, size_t first, size_t packs,
	   bool (*goes)(void *arg, const struct st_id *pack), void *arg,
	   struct err *e)
{
	for (size_t i = 0; i < packs; i++) {
		struct st_pack_info p;

		if (st_index_pack(ix, first + i, &p, e) < 0)
			return -1;
		if (goes(arg, &p.id))
			return 1;
	}
	return 0;
}

/* Replace fragments that are not sound, or list packs that are gone. */
static int
mend_fragments(struct st_index *ix, struct st_pack_files *files,
	       struct st_index_new *n, struct err *e)
{
	for (size_t i = ix->count; i > 0; i--) {
		size_t first = 0, packs = st_index_fragment_packs(ix, i - 1);
		int gone = 0;

		for (size_t k = 0; k + 1 < i; k++)
			first += st_index_fragment_packs(ix, k);
		if (st_index_sound(ix, i - 1)) {
			gone = lists_gone(ix, first, packs, is_gone, files, e);
			if (gone == 0)
				continue;
			if (gone < 0 || st_index_new_merge(n, ix, i - 1, is_gone,
							   files, e) < 0)
				return -1;
		}
		st_index_drop(ix, i - 1);
	}
	return 0;
}

static int
mend_in_memory(const struct st_repo *r, struct st_index *ix, struct err *e)
{
	ST_PACK_FILES_SCOPED struct st_pack_files files = ST_PACK_FILES_EMPTY;
	ST_INDEX_NEW_SCOPED struct st_index_new n = ST_INDEX_NEW_EMPTY;
	SCOPED_FREE char *dir = st_repo_file(r, e, "index");

	if (dir == NULL || st_repo_pack_files(r, &files, e) < 0 ||
	    st_index_open(ix, dir, e) < 0 ||
	    mend_fragments(ix, &files, &n, e) < 0 ||
	    (n.packs > 0 && st_index_add_new(ix, &n, e) < 0))
		return -1;
	st_index_new_done(&n);
	if (take_listed(&files, ix, e) < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++)
		if (list_headers(r, &files.at[i], &n, e) < 0)
			return -1;
	return n.packs > 0 ? st_index_add_new(ix, &n, e) : 0;
}

int
st_repo_index_mend(struct st_repo *r, struct err *e)
{
	ST_INDEX_SCOPED struct st_index ix = ST_INDEX_EMPTY;

	if (mend_in_memory(r, &ix, e) < 0)
		return -1;
	(void)pthread_rwlock_wrlock(&r->index_lock);
	st_index_done(&r->index);
	r->index = TAKE(ix);
	r->index_is_open = true;
	(void)pthread_rwlock_unlock(&r->index_lock);
	return 0;
}

/* ---- for writers, on disk ------------------------------------------------ */

/* Remove what an earlier writer did not finish: we hold the lock. */
static int
remove_temps(const struct st_repo *r, const char *folder, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "%s", folder);
	DIR *d = path == NULL ? NULL : opendir(path);
	const struct dirent *x;

	if (path == NULL)
		return -1;
	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 :
			err_sys(e, "%s", path);
	while ((x = readdir(d)) != NULL)
		if (strstr(x->d_name, ".tmp.") != NULL)
			(void)unlinkat(dirfd(d), x->d_name, 0);
	(void)closedir(d);
	return 0;
}

static int
remove_all_temps(const struct st_repo *r, struct err *e)
{
	static const char *const folders[] = {
		".", "keys", "packs", "index", "versions", "refs"
	};
	ST_REFS_SCOPED struct st_refs lines = ST_REFS_EMPTY;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (remove_temps(r, folders[i], e) < 0)
			return -1;
	if (st_ref_lines(r, &lines, e) < 0)
		return -1;
	for (size_t i = 0; i < lines.count; i++) {
		char folder[ST_NAME_MAX + 16];

		(void)snprintf(folder, sizeof(folder), "refs/%s",
			       lines.at[i].name);
		if (remove_temps(r, folder, e) < 0)
			return -1;
		(void)snprintf(folder, sizeof(folder), "refs/%s/tags",
			       lines.at[i].name);
		if (remove_temps(r, folder, e) < 0)
			return -1;
	}
	return 0;
}

static bool
has_sound(const struct st_index *ix, const struct st_id *id)
{
	for (size_t i = 0; i < ix->count; i++)
		if (st_id_equal(st_index_id(ix, i), id))
			return st_index_sound(ix, i);
	return false;
}

/* Remove fragments that are damaged; what they listed is found below. */
static int
remove_damaged(struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(r, e, "index");
	const struct st_index *ix;
	const struct dirent *x;
	DIR *d;

	if (path == NULL || io_mkdirs(path, 0755, e) < 0)
		return -1;
	d = opendir(path);
	if (d == NULL)
		return err_sys(e, "%s", path);
	ix = st_repo_index_get(r, e);
	while (ix != NULL && (x = readdir(d)) != NULL) {
		struct st_id id;

		if (st_id_named(x->d_name, ".index", &id) && !has_sound(ix, &id))
			(void)unlinkat(dirfd(d), x->d_name, 0);
	}
	(void)closedir(d);
	if (ix == NULL)
		return -1;
	st_repo_index_put(r);
	return st_repo_index_reload(r, e);
}

/* Take out of the files those that have another length than the index says. */
static int
take_cut(struct st_repo *r, struct st_pack_files *l, struct err *e)
{
	const struct st_index *ix = st_repo_index_get(r, e);
	int bad = 0;

	if (ix == NULL)
		return -1;
	for (size_t i = 0; bad == 0 && i < st_index_packs(ix); i++) {
		const struct st_pack_file *f;
		struct st_pack_info p;

		bad = st_index_pack(ix, i, &p, e);
		f = bad < 0 ? NULL : find_file(l, &p.id);
		if (f == NULL || f->len == p.len)
			continue;
		size_t at = (size_t)(f - l->at);
		l->count--;
		memmove(l->at + at, l->at + at + 1,
			(l->count - at) * sizeof(*l->at));
	}
	st_repo_index_put(r);
	return bad;
}

/* One fragment again, without what goes; the old one is removed. */
static int
filter_fragment(const struct st_repo *r, const struct st_index *ix, size_t i,
		bool (*goes)(void *arg, const struct st_id *pack), void *arg,
		struct err *e)
{
	ST_INDEX_NEW_SCOPED struct st_index_new n = ST_INDEX_NEW_EMPTY;
	char hex[ST_ID_HEX];
	struct st_id id;
	SCOPED_FREE char *dir = st_repo_file(r, e, "index");
	SCOPED_FREE char *old = st_repo_file(r, e, "index/%s.index",
				st_id_hex(st_index_id(ix, i), hex));

	if (dir == NULL || old == NULL ||
	    st_index_new_merge(&n, ix, i, goes, arg, e) < 0)
		return -1;
	if (n.packs > 0 && st_index_new_write(&n, dir, &id, e) < 0)
		return -1;
	if (unlink(old) < 0 && errno != ENOENT)
		return err_sys(e, "%s", old);
	return io_sync_dir(dir, e);
}

int
st_repo_filter_index(struct st_repo *r,
		     bool (*goes)(void *arg, const struct st_id *pack),
		     void *arg, struct err *e)
{
	const struct st_index *ix = st_repo_index_get(r, e);
	size_t first = 0;
	int got = 0;

	if (ix == NULL)
		return -1;
	for (size_t i = 0; got >= 0 && i < ix->count; i++) {
		size_t packs = st_index_fragment_packs(ix, i);

		got = lists_gone(ix, first, packs, goes, arg, e);
		if (got == 1)
			got = filter_fragment(r, ix, i, goes, arg, e);
		first += packs;
	}
	st_repo_index_put(r);
	return got < 0 ? -1 : st_repo_index_reload(r, e);
}

/* A pack that no fragment lists is listed from now on, if it is whole. */
static int
adopt(struct st_writer *w, const struct st_pack_file *f, struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	struct st_pack_info info = { .id = f->id, .len = (uint32_t)f->len };
	struct err damaged = ERR_INIT;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(w->repo, e, "packs/%s.pack",
					      st_id_hex(&f->id, hex));

	if (path == NULL)
		return -1;
	if (st_pack_scan(path, &info.id, &entries, &damaged) < 0) {
		if (damaged.kind == ERR_CORRUPT)
			return 0;	/* verify names it */
		*e = damaged;
		return -1;
	}
	info.records = (uint32_t)entries.count;
	return st_index_new_pack(&w->fresh, &info, &entries, e);
}

int
st_writer_mend(struct st_writer *w, struct err *e)
{
	ST_PACK_FILES_SCOPED struct st_pack_files files = ST_PACK_FILES_EMPTY;
	const struct st_index *ix;

	/* What others wrote since we looked is read anew. */
	if (remove_all_temps(w->repo, e) < 0 ||
	    st_repo_index_reload(w->repo, e) < 0 ||
	    remove_damaged(w->repo, e) < 0 ||
	    st_repo_pack_files(w->repo, &files, e) < 0 ||
	    take_cut(w->repo, &files, e) < 0 ||
	    st_repo_filter_index(w->repo, is_gone, &files, e) < 0)
		return -1;
	ix = st_repo_index_get(w->repo, e);
	if (ix == NULL)
		return -1;
	int taken = take_listed(&files, ix, e);
	st_repo_index_put(w->repo);
	if (taken < 0)
		return -1;
	for (size_t i = 0; i < files.count; i++)
		if (adopt(w, &files.at[i], e) < 0)
			return -1;
	return st_writer_flush_index(w, e);
}
