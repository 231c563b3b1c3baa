/* verify.c - see verify.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "store/verify.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/stop.h"
#include "store/image.h"
#include "store/pack.h"
#include "store/repo-private.h"
#include "store/version.h"
#include "store/writer-private.h"

enum { QUEUE = 8, BATCH = 32 };
#define FRAGMENT_MAX (256u << 20)

/* A pack and what was found out about it. */
struct seen {
	struct st_id id;
	uint32_t records;
	bool is_whole;
	uint8_t *done;		/* bit for each record that was read with keys */
};

struct verify {
	struct st_repo *repo;
	struct progress *progress;
	void (*fault)(void *arg, const char *what);
	void *fault_arg;

	pthread_mutex_t lock;	/* of everything below */
	struct st_verified sum;
	struct seen *seen;	/* sorted once all packs were looked at */
	size_t seens, cap;
};

/* Note a fault; what kept us from looking (no memory, a stop) is none. */
static int
judge(struct verify *v, const struct err *why, struct err *e)
{
	if (why->kind == ERR_NOMEM || why->kind == ERR_INTERRUPTED) {
		*e = *why;
		return -1;
	}
	(void)pthread_mutex_lock(&v->lock);
	v->sum.faults++;
	v->fault(v->fault_arg, why->msg);
	(void)pthread_mutex_unlock(&v->lock);
	return 0;
}

static PRINTF(2, 3) void
say(struct verify *v, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)pthread_mutex_lock(&v->lock);
	v->sum.faults++;
	v->fault(v->fault_arg, text);
	(void)pthread_mutex_unlock(&v->lock);
}

/* ---- packs --------------------------------------------------------------- */

struct pack_job {
	struct verify *v;
	struct st_id id;
};

static void
drop_job(void *job)
{
	free(job);
}

static int
note_pack(struct verify *v, const struct st_id *id, uint32_t records,
	  bool is_whole, uint64_t len, struct err *e)
{
	struct seen s = { .id = *id, .records = records, .is_whole = is_whole };
	int r;

	s.done = mem_array((size_t)records / 8 + 1, 1, e);
	if (s.done == NULL)
		return -1;
	(void)pthread_mutex_lock(&v->lock);
	r = mem_grow(&v->seen, &v->cap, v->seens + 1, sizeof(s), e);
	if (r == 0) {
		v->seen[v->seens++] = s;
		v->sum.packs++;
		v->sum.records += records;
		v->sum.bytes += len;
	}
	(void)pthread_mutex_unlock(&v->lock);
	if (r < 0)
		free(s.done);
	return r;
}

static int
check_pack(void *job, struct err *e)
{
	SCOPED_FREE struct pack_job *j = job;
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(j->v->repo, e, "packs/%s.pack",
					      st_id_hex(&j->id, hex));
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	struct err why = ERR_INIT;
	struct stat st = { .st_size = 0 };

	if (path == NULL)
		return -1;
	(void)stat(path, &st);
	progress_add(j->v->progress, (uint64_t)st.st_size);
	if (st_pack_scan(path, &j->id, &entries, &why) < 0) {
		if (note_pack(j->v, &j->id, 0, false, 0, e) < 0)
			return -1;
		return judge(j->v, &why, e);
	}
	return note_pack(j->v, &j->id, (uint32_t)entries.count, true,
			 (uint64_t)st.st_size, e);
}

static int
seen_cmp(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return memcmp(&x->id, &y->id, sizeof(x->id));
}

static struct seen *
find_seen(const struct verify *v, const struct st_id *id)
{
	struct seen key = { .id = *id };

	return v->seens == 0 ? NULL :
		bsearch(&key, v->seen, v->seens, sizeof(key), seen_cmp);
}

static int
queue_pack(struct verify *v, struct pool *pool, const struct st_id *id,
	   struct err *e)
{
	struct pack_job *j = mem_array(1, sizeof(*j), e);

	if (j == NULL)
		return -1;
	*j = (struct pack_job){ .v = v, .id = *id };
	if (pool_put(pool, j, e) < 0)
		return -1;
	progress_show(v->progress);
	return stop_check(e);
}

/* Every pack in the directory, or those of the list. */
static int
check_packs(struct verify *v, const struct st_list *only, struct err *e)
{
	POOL_SCOPED struct pool *pool = pool_new(0, QUEUE, check_pack, drop_job,
						 e);
	SCOPED_FREE char *dir = st_repo_file(v->repo, e, "packs");
	const struct dirent *x;
	int r = 0;

	if (pool == NULL || dir == NULL)
		return -1;
	if (only != NULL) {
		for (size_t i = 0; r == 0 && i < only->count; i++)
			r = queue_pack(v, pool, &only->at[i].pack, e);
	} else {
		DIR *d = opendir(dir);

		if (d == NULL)
			return err_sys(e, "%s", dir);
		while (r == 0 && (x = readdir(d)) != NULL) {
			struct st_id id;

			if (st_id_named(x->d_name, ".pack", &id))
				r = queue_pack(v, pool, &id, e);
		}
		(void)closedir(d);
	}
	if (r < 0 || pool_wait(pool, e) < 0)
		return -1;
	mem_sort(v->seen, v->seens, sizeof(*v->seen), seen_cmp);
	return 0;
}

/* ---- index --------------------------------------------------------------- */

static int
check_fragment(struct verify *v, const char *name, struct err *e)
{
	SCOPED_FREE char *path = st_repo_file(v->repo, e, "index/%s", name);
	SCOPED_FREE uint8_t *in = NULL;
	struct err why = ERR_INIT;
	struct st_id id, real;
	size_t len;

	if (path == NULL)
		return -1;
	if (!st_id_named(name, ".index", &id))
		return 0;
	if (io_slurp(path, FRAGMENT_MAX, &in, &len, &why) < 0)
		return judge(v, &why, e);
	cx_hash(real.at, in, len);
	if (!st_id_equal(&real, &id))
		say(v, "%s: index fragment is damaged; imgtool gc makes it "
		    "again from the packs", path);
	return 0;
}

static int
check_index(struct verify *v, struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(v->repo, e, "index");
	DIR *d = dir == NULL ? NULL : opendir(dir);
	const struct dirent *x;
	int r = 0;

	if (dir == NULL)
		return -1;
	if (d == NULL)
		return err_sys(e, "%s", dir);
	while (r == 0 && (x = readdir(d)) != NULL)
		r = check_fragment(v, x->d_name, e);
	(void)closedir(d);
	return r;
}

/* ---- versions, without keys ---------------------------------------------- */

static void
check_list(struct verify *v, const struct st_ref *ref,
	   const struct st_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct st_list_pack *p = &list->at[i];
		const struct seen *s = find_seen(v, &p->pack);
		char hex[ST_ID_HEX];

		(void)st_id_hex(&p->pack, hex);
		if (s == NULL)
			say(v, "%s:%llu: packs/%s.pack is missing", ref->name,
			    (unsigned long long)ref->number, hex);
		else if (!s->is_whole)
			say(v, "%s:%llu: needs packs/%s.pack, which is damaged",
			    ref->name, (unsigned long long)ref->number, hex);
		else if (s->records != p->records)
			say(v, "%s:%llu: packs/%s.pack is another than its "
			    "clear list says", ref->name,
			    (unsigned long long)ref->number, hex);
	}
}

/* A fault that makes this version unusable. */
static int
judge_version(struct verify *v, const struct st_ref *ref, struct err *why,
	      struct err *e)
{
	(void)err_ctx(why, "%s:%llu", ref->name,
		      (unsigned long long)ref->number);
	return judge(v, why, e);
}

/* The file of a line's key, as far as it can be judged without a key. */
static int
check_line(struct verify *v, const struct st_ref *ref,
	   const uint8_t line[ST_LINE_BYTES], struct err *e)
{
	SCOPED_FREE uint8_t (*ids)[CX_KEYID_BYTES] = NULL;
	struct err why = ERR_INIT;
	size_t count;

	if (st_line_recipients(v->repo, line, &ids, &count, &why) == 0)
		return 0;
	return judge_version(v, ref, &why, e);
}

static int
check_version(struct verify *v, const struct st_ref *ref, struct err *e)
{
	ST_VERSION_SCOPED struct st_version version = ST_VERSION_EMPTY;
	ST_LIST_SCOPED struct st_list list = ST_LIST_EMPTY;
	struct err why = ERR_INIT;

	if (st_version_load(v->repo, ref, NULL, &version, &why) < 0) {
		if (judge(v, &why, e) < 0)
			return -1;
	} else if (check_line(v, ref, version.line, e) < 0) {
		return -1;
	}
	why = (struct err)ERR_INIT;
	if (st_list_load(v->repo, &ref->version, &list, &why) < 0)
		return judge_version(v, ref, &why, e);
	check_list(v, ref, &list);
	return 0;
}

/* ---- chunks, with keys --------------------------------------------------- */

struct chunk_job {
	struct verify *v;
	struct st_image *image;
	struct st_chunk chunk[BATCH];
	size_t count;
};

static void
drop_chunks(void *job)
{
	struct chunk_job *j = job;

	explicit_bzero(j->chunk, sizeof(j->chunk));
	free(j);
}

static int
check_chunks(void *job, struct err *e)
{
	struct chunk_job *j = job;
	BUF_SCOPED struct buf b = BUF_EMPTY;
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->count; i++) {
		struct err why = ERR_INIT;

		if (st_image_chunk(j->image, &j->chunk[i], &b, &why) < 0)
			r = judge(j->v, &why, e);
	}
	(void)pthread_mutex_lock(&j->v->lock);
	j->v->sum.chunks += j->count;
	(void)pthread_mutex_unlock(&j->v->lock);
	progress_add(j->v->progress, j->count);
	drop_chunks(j);
	return r;
}

/* Was this record read already?  Marks it.  One that no index names is read, and so
 * found to be missing. */
static int
was_read(struct verify *v, const struct st_id *id, struct err *e)
{
	const struct st_index *ix = st_repo_index_get(v->repo, e);
	struct st_place p;

	if (ix == NULL)
		return -1;
	int found = st_index_find(ix, id, &p, e);
	st_repo_index_put(v->repo);
	if (found < 0)
		return -1;

	struct seen *s = found == 0 ? NULL : find_seen(v, &p.pack.id);
	if (s == NULL || p.entry.number >= s->records)
		return 0;
	uint8_t bit = (uint8_t)(1u << p.entry.number % 8);
	int was = (s->done[p.entry.number / 8] & bit) != 0;
	s->done[p.entry.number / 8] |= bit;
	return was;
}

static int
queue_chunks(struct verify *v, struct pool *pool, struct st_image *image,
	     const struct st_map *map, struct err *e)
{
	struct chunk_job *j = NULL;

	for (size_t i = 0; i < map->chunks; i++) {
		int was = was_read(v, &map->chunk[i].id, e);

		if (was == 0 && j == NULL) {
			j = mem_array(1, sizeof(*j), e);
			if (j == NULL)
				return -1;
			j->v = v;
			j->image = image;
		}
		if (was < 0) {
			if (j != NULL)
				drop_chunks(j);
			return -1;
		}
		if (was == 0)
			j->chunk[j->count++] = map->chunk[i];
		if (j != NULL && j->count == BATCH) {
			if (pool_put(pool, j, e) < 0)
				return -1;
			j = NULL;
		}
	}
	progress_show(v->progress);
	return j == NULL ? 0 : pool_put(pool, j, e);
}

static int
check_image(struct verify *v, const struct st_ref *ref, struct st_image *image,
	    struct err *e)
{
	POOL_SCOPED struct pool *pool = pool_new(0, QUEUE, check_chunks,
						 drop_chunks, e);
	const struct st_root *root = st_image_root(image);

	if (pool == NULL)
		return -1;
	for (size_t i = 0; i < root->segments; i++) {
		ST_MAP_SCOPED struct st_map map = ST_MAP_EMPTY;
		struct err why = ERR_INIT;

		if (stop_check(e) < 0)
			return -1;
		if (st_image_segment(image, root->segment[i].number, &map,
				     &why) < 0) {
			if (judge_version(v, ref, &why, e) < 0)
				return -1;
			continue;
		}
		if (queue_chunks(v, pool, image, &map, e) < 0)
			return -1;
	}
	return pool_wait(pool, e);
}

/* Should our key open this line?  Then that it does not is a fault, unless that
 * was told already because the file can not be read at all. */
static bool
is_ours(const struct verify *v, const uint8_t line[ST_LINE_BYTES])
{
	SCOPED_FREE uint8_t (*ids)[CX_KEYID_BYTES] = NULL;
	struct err unreadable = ERR_INIT;
	size_t count;

	if (st_line_recipients(v->repo, line, &ids, &count, &unreadable) < 0)
		return false;
	if (st_repo_is_admin(v->repo))
		return true;
	for (size_t i = 0; i < count; i++)
		if (memcmp(ids[i], v->repo->key->pub.id, CX_KEYID_BYTES) == 0)
			return true;
	return false;
}

static int
check_with_key(struct verify *v, const struct st_ref *ref, struct err *e)
{
	char name[ST_NAME_MAX + 32];
	struct err why = ERR_INIT;
	ST_LINE_SCOPED struct st_line line = ST_LINE_EMPTY;
	ST_VERSION_SCOPED struct st_version version = ST_VERSION_EMPTY;
	ST_IMAGE_SCOPED struct st_image *image = NULL;

	(void)snprintf(name, sizeof(name), "%s:%llu", ref->name,
		       (unsigned long long)ref->number);
	if (st_version_load(v->repo, ref, NULL, &version, &why) < 0)
		return 0;	/* said already */
	if (st_line_open(v->repo, version.line, &line, &why) < 0) {
		v->sum.closed++;
		return is_ours(v, version.line) ?
			judge_version(v, ref, &why, e) : 0;
	}
	image = st_image_open(v->repo, name, 0, true, &why);
	return image == NULL ? judge(v, &why, e) :
			       check_image(v, ref, image, e);
}

/* ---- all of it ----------------------------------------------------------- */

static uint64_t
bytes_in(const struct st_repo *r, const char *folder)
{
	struct err ignored = ERR_INIT;
	SCOPED_FREE char *dir = st_repo_file(r, &ignored, "%s", folder);
	DIR *d = dir == NULL ? NULL : opendir(dir);
	const struct dirent *x;
	uint64_t n = 0;
	struct stat st;

	while (d != NULL && (x = readdir(d)) != NULL)
		if (fstatat(dirfd(d), x->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode))
			n += (uint64_t)st.st_size;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

/* A tag must lead to what it says. */
static int
check_tag(struct verify *v, const char *name, const char *tag, struct err *e)
{
	struct err why = ERR_INIT;
	struct st_ref ref;

	if (st_ref_tag_read(v->repo, name, tag, &ref, &why) >= 0)
		return 0;
	(void)err_ctx(&why, "%s:%s", name, tag);
	return judge(v, &why, e);
}

/* The versions of a line; what of its refs can not be read is a fault. */
static int
find_versions(struct verify *v, const char *name, struct st_refs *ret,
	      struct err *e)
{
	ST_REFS_SCOPED struct st_refs numbers = ST_REFS_EMPTY;
	ST_REFS_SCOPED struct st_refs tags = ST_REFS_EMPTY;

	if (st_ref_numbers(v->repo, name, &numbers, e) < 0 ||
	    st_ref_tag_names(v->repo, name, &tags, e) < 0)
		return -1;
	for (size_t i = 0; i < numbers.count; i++) {
		struct st_ref *ref = &numbers.at[i];
		struct err why = ERR_INIT;

		if (st_ref_read(v->repo, ref, &why) < 0) {
			(void)err_ctx(&why, "%s:%llu", name,
				      (unsigned long long)ref->number);
			if (judge(v, &why, e) < 0)
				return -1;
			continue;
		}
		if (ref->removed)
			continue;
		if (mem_grow(&ret->at, &ret->cap, ret->count + 1,
			     sizeof(*ret->at), e) < 0)
			return -1;
		ret->at[ret->count++] = *ref;
	}
	for (size_t i = 0; i < tags.count; i++)
		if (check_tag(v, name, tags.at[i].name, e) < 0)
			return -1;
	return 0;
}

static int
find_all(struct verify *v, struct st_refs *ret, struct err *e)
{
	ST_REFS_SCOPED struct st_refs lines = ST_REFS_EMPTY;

	if (st_ref_lines(v->repo, &lines, e) < 0)
		return -1;
	for (size_t i = 0; i < lines.count; i++)
		if (find_versions(v, lines.at[i].name, ret, e) < 0)
			return -1;
	return 0;
}

static int
look(struct verify *v, const struct st_ref *only, bool keys, struct err *e)
{
	ST_REFS_SCOPED struct st_refs refs = ST_REFS_EMPTY;
	ST_LIST_SCOPED struct st_list list = ST_LIST_EMPTY;
	struct err why = ERR_INIT;

	if (only == NULL && find_all(v, &refs, e) < 0)
		return -1;
	/* A list that is missing or bad is told by check_version(). */
	bool one = only != NULL &&
		   st_list_load(v->repo, &only->version, &list, &why) == 0;
	if (only == NULL)
		progress_begin(v->progress, "verify", true,
			       bytes_in(v->repo, "packs"));
	if (check_packs(v, one ? &list : NULL, e) < 0 || check_index(v, e) < 0)
		return -1;

	struct err key = ERR_INIT;
	if (v->repo->kind == ST_REPO_ORIGIN &&
	    st_repo_key_check(v->repo, &key) < 0 && judge(v, &key, e) < 0)
		return -1;

	const struct st_ref *at = only != NULL ? only : refs.at;
	size_t n = only != NULL ? 1 : refs.count;
	for (size_t i = 0; i < n; i++)
		if (check_version(v, &at[i], e) < 0)
			return -1;
	v->sum.versions = n;
	progress_begin(v->progress, "verify contents", false, 0);
	for (size_t i = 0; keys && i < n; i++)
		if (check_with_key(v, &at[i], e) < 0)
			return -1;
	return 0;
}

int
st_verify(struct st_repo *r, const struct st_ref *only, bool keys,
	  void (*fault)(void *arg, const char *what), void *arg,
	  struct progress *p, struct st_verified *ret, struct err *e)
{
	struct verify v = { .repo = r, .progress = p, .fault = fault,
			    .fault_arg = arg };

	(void)pthread_mutex_init(&v.lock, NULL);
	int looked = look(&v, only, keys, e);
	for (size_t i = 0; i < v.seens; i++)
		free(v.seen[i].done);
	free(v.seen);
	(void)pthread_mutex_destroy(&v.lock);
	if (looked == 0)
		*ret = v.sum;
	return looked;
}
