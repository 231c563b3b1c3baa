/* parts.c - see parts.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/num.h"
#include "crypt/hash.h"
#include "delta/remote.h"

enum { PIECE = 1 << 20 };

void
dl_parts_done(struct dl_parts *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->at[i].fd >= 0)
			(void)close(p->at[i].fd);
	if (p->lock >= 0)
		(void)close(p->lock);
	free(p->at);
	free(p->dir);
	*p = (struct dl_parts)DL_PARTS_EMPTY;
}

static char *
part_path(const struct dl_parts *p, const struct dl_part *x, struct err *e)
{
	char hex[ST_ID_HEX];

	return mem_fmt(e, "%s/%s.%" PRIu64 ".%" PRIu64, p->dir,
		       st_id_hex(&x->id, hex), x->at, x->len);
}

static int
by_place(const void *a, const void *b)
{
	const struct dl_part *x = a, *y = b;
	int by_id = memcmp(&x->id, &y->id, sizeof(x->id));

	if (by_id != 0)
		return by_id;
	return (x->at > y->at) - (x->at < y->at);
}

static int
add(struct dl_parts *p, const struct dl_part *x, struct err *e)
{
	if (mem_grow(&p->at, &p->cap, p->count + 1, sizeof(*p->at), e) < 0)
		return -1;
	p->at[p->count++] = *x;
	return 0;
}

/* ---- what is there ------------------------------------------------------- */

/* ID.AT.LEN, and nothing else. */
static bool
parse_name(const char *name, struct dl_part *ret)
{
	char hex[ST_ID_HEX], at[24];
	const char *dot = strchr(name, '.');
	const char *second = dot == NULL ? NULL : strchr(dot + 1, '.');

	if (second == NULL || dot - name != ST_ID_HEX - 1 ||
	    second - dot > (ptrdiff_t)sizeof(at))
		return false;
	memcpy(hex, name, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	(void)snprintf(at, (size_t)(second - dot), "%s", dot + 1);
	return st_id_parse(hex, &ret->id) &&
	       num_parse(at, 0, INT64_MAX, false, &ret->at) &&
	       num_parse(second + 1, 1, INT64_MAX - ret->at, false, &ret->len);
}

static int
scan(struct dl_parts *p, struct err *e)
{
	DIR *d = opendir(p->dir);
	const struct dirent *x;
	struct stat st;
	int r = 0;

	if (d == NULL)
		return err_sys(e, "%s", p->dir);
	while (r == 0 && (x = readdir(d)) != NULL) {
		struct dl_part part = { .fd = -1 };

		if (strstr(x->d_name, ".tmp.") != NULL) {
			(void)unlinkat(dirfd(d), x->d_name, 0);
			continue;
		}
		if (!parse_name(x->d_name, &part) ||
		    fstatat(dirfd(d), x->d_name, &st, 0) < 0)
			continue;
		part.have = num_min((uint64_t)st.st_size, part.len);
		p->inherited = true;
		r = add(p, &part, e);
	}
	(void)closedir(d);
	mem_sort(p->at, p->count, sizeof(*p->at), by_place);
	return r;
}

int
dl_parts_open(struct dl_parts *p, const char *repo, struct err *e)
{
	SCOPED_FREE char *lock = NULL;

	p->dir = io_join(repo, "incoming", e);
	if (p->dir == NULL)
		return -1;
	lock = io_join(p->dir, "lock", e);
	if (lock == NULL || io_mkdirs(p->dir, 0755, e) < 0)
		return -1;
	p->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (p->lock < 0)
		return err_sys(e, "%s", lock);
	if (flock(p->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, ERR_UNSAFE, "%s: somebody else is pulling or "
			       "pushing; try again when that has ended", repo);
	return scan(p, e);
}

/* ---- wanting ------------------------------------------------------------- */

bool
dl_parts_any(const struct dl_parts *p, const struct st_id *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (st_id_equal(&p->at[i].id, id))
			return true;
	return false;
}

/* The piece that is to hold a byte of an object, or NULL. */
static struct dl_part *
covering(const struct dl_parts *p, const struct st_id *id, uint64_t at)
{
	size_t low = 0, high = p->count;
	struct dl_part key = { .id = *id, .at = at };

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_place(&p->at[mid], &key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;

	struct dl_part *x = &p->at[low - 1];
	return st_id_equal(&x->id, id) && at - x->at < x->len ? x : NULL;
}

bool
dl_parts_covers(const struct dl_parts *p, const struct st_id *id, uint64_t at)
{
	return covering(p, id, at) != NULL;
}

bool
dl_parts_whole(const struct dl_parts *p, const struct dl_object *o)
{
	const struct dl_part *x = covering(p, &o->id, 0);

	return x != NULL && x->len == o->len && x->have == o->len;
}

int
dl_parts_want(struct dl_parts *p, const struct st_id *id, uint64_t at,
	      uint64_t len, struct err *e)
{
	struct dl_part *x = covering(p, id, at);

	if (x != NULL && at + len <= x->at + x->len) {
		x->wanted = true;
		return 0;
	}

	struct dl_part part = { .id = *id, .at = at, .len = len,
				.wanted = true, .fd = -1 };
	if (add(p, &part, e) < 0)
		return -1;
	/* Callers go upwards, so it is nearly sorted. */
	for (size_t i = p->count - 1;
	     i > 0 && by_place(&p->at[i - 1], &p->at[i]) > 0; i--) {
		struct dl_part other = p->at[i];

		p->at[i] = p->at[i - 1];
		p->at[i - 1] = other;
	}
	return 0;
}

uint64_t
dl_parts_missing(const struct dl_parts *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		if (p->at[i].wanted)
			n += p->at[i].len - p->at[i].have;
	return n;
}

/* ---- fetching ------------------------------------------------------------ */

/* What a transfer writes to. */
struct sink {
	struct dl_parts *parts;
	struct dl_part *part;
};

static int
take(void *arg, const void *data, size_t len, struct err *e)
{
	struct sink *s = arg;
	struct dl_part *x = s->part;

	if (x->fd < 0) {
		SCOPED_FREE char *path = part_path(s->parts, x, e);

		if (path == NULL)
			return -1;
		x->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (x->fd < 0)
			return err_sys(e, "%s", path);
	}
	if (io_write_at(x->fd, data, len, x->have, s->parts->dir, e) < 0)
		return -1;
	x->have += len;
	if (x->have == x->len) {
		int fd = x->fd;

		x->fd = -1;
		if (close(fd) < 0)
			return err_sys(e, "%s", s->parts->dir);
	}
	return 0;
}

/* Room for all that is wanted must be there before anything comes. */
static int
check_room(const struct dl_parts *p, struct err *e)
{
	uint64_t need = dl_parts_missing(p);
	struct statvfs fs;

	if (statvfs(p->dir, &fs) < 0)
		return err_sys(e, "%s", p->dir);
	if (need / fs.f_frsize < fs.f_bavail)
		return 0;
	errno = ENOSPC;
	return err_sys(e, "%s: needs %" PRIu64 " MiB, has %" PRIu64, p->dir,
		       need >> 20, ((uint64_t)fs.f_bavail * fs.f_frsize) >> 20);
}

struct fetch {
	struct dl_get *get;
	struct sink *sink;
	char **name;
	size_t count;
};

static void
fetch_done(struct fetch *f)
{
	for (size_t i = 0; f->name != NULL && i < f->count; i++)
		free(f->name[i]);
	free(f->name);
	free(f->sink);
	free(f->get);
}

static int
list_wanted(struct dl_parts *p, const char *folder, const char *suffix,
	    struct fetch *f, struct err *e)
{
	f->get = mem_array(p->count, sizeof(*f->get), e);
	f->sink = mem_array(p->count, sizeof(*f->sink), e);
	f->name = mem_array(p->count, sizeof(*f->name), e);
	if (f->get == NULL || f->sink == NULL || f->name == NULL)
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		struct dl_part *x = &p->at[i];
		size_t n = f->count;
		char hex[ST_ID_HEX];

		if (!x->wanted || x->have == x->len)
			continue;
		f->name[n] = mem_fmt(e, "%s/%s.%s", folder,
				     st_id_hex(&x->id, hex), suffix);
		f->count++;
		if (f->name[n] == NULL)
			return -1;
		f->sink[n] = (struct sink){ .parts = p, .part = x };
		f->get[n] = (struct dl_get){
			.name = f->name[n], .at = x->at + x->have,
			.len = x->len - x->have, .take = take,
			.arg = &f->sink[n],
		};
	}
	return 0;
}

int
dl_parts_fetch(struct dl_parts *p, struct dl_remote *r, const char *folder,
	       const char *suffix, struct progress *progress, struct err *e)
{
	SCOPED(fetch_done) struct fetch f = { .get = NULL };

	if (check_room(p, e) < 0 || list_wanted(p, folder, suffix, &f, e) < 0 ||
	    dl_remote_get(r, f.get, f.count, progress, e) < 0)
		return -1;
	for (size_t i = 0; i < f.count; i++)
		if (f.get[i].absent)
			return err_set(e, ERR_CORRUPT, "%s/%s: is missing",
				       dl_remote_name(r), f.name[i]);
	for (size_t i = 0; i < p->count; i++)
		p->at[i].wanted = false;
	return 0;
}

/* ---- using --------------------------------------------------------------- */

int
dl_parts_read(const struct dl_parts *p, const struct st_id *id, uint64_t at,
	      uint32_t len, struct buf *out, struct err *e)
{
	const struct dl_part *x = covering(p, id, at);
	SCOPED_FREE char *path = NULL;
	uint8_t *room;

	if (x == NULL || !num_in_range(at - x->at, len, x->have))
		return 0;
	path = part_path(p, x, e);
	if (path == NULL)
		return -1;

	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", path);
	out->len = 0;
	room = buf_room(out, len);
	if (room == NULL)
		return buf_ok(out, e);
	return io_read_at(fd, room, len, at - x->at, path, e) < 0 ? -1 : 1;
}

/* Hash a piece, and append it to a file that is being put together (NULL: there
 * is none). */
static int
append(const struct dl_parts *p, const struct dl_part *x, struct io_new *f,
       struct cx_hasher *h, struct err *e)
{
	SCOPED_FREE char *path = part_path(p, x, e);
	SCOPED_FREE uint8_t *room = mem_array(PIECE, 1, e);

	if (path == NULL || room == NULL)
		return -1;

	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s", path);
	for (uint64_t at = 0; at < x->len;) {
		size_t n = (size_t)num_min(PIECE, x->len - at);

		if (io_read_at(fd, room, n, at, path, e) < 0 ||
		    (f != NULL && io_new_write(f, room, n, e) < 0))
			return -1;
		cx_hash_add(h, room, n);
		at += n;
	}
	return 0;
}

static int
is_other(struct dl_parts *p, const struct dl_object *o, const char *what,
	 struct err *e)
{
	dl_parts_drop(p, &o->id);
	return err_set(e, ERR_AUTH, "%s: is not what its name and the release "
		       "say: changed on the way", what);
}

/* One piece that is all of the object only takes another name. */
static int
rename_whole(struct dl_parts *p, const struct dl_part *x,
	     const struct dl_object *o, const char *path, const char *what,
	     struct err *e)
{
	SCOPED_FREE char *from = part_path(p, x, e);
	SCOPED_FREE char *dir = mem_str(path, e);
	struct cx_hasher h;
	struct st_id real;

	if (from == NULL || dir == NULL)
		return -1;
	cx_hash_begin(&h);
	if (append(p, x, NULL, &h, e) < 0)
		return -1;
	cx_hash_end(&h, real.at);
	if (!st_id_equal(&real, &o->id))
		return is_other(p, o, what, e);

	SCOPED_FD int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0 || rename(from, path) < 0)
		return err_sys(e, "%s", path);
	/* Both folders: or it may be in neither after a cut. */
	*strrchr(dir, '/') = '\0';
	return io_sync_dir(dir, e) < 0 ? -1 : io_sync_dir(p->dir, e);
}

int
dl_parts_join(struct dl_parts *p, const struct dl_object *o, const char *path,
	      const char *what, struct err *e)
{
	IO_NEW_SCOPED struct io_new f = IO_NEW_EMPTY;
	const struct dl_part *first = covering(p, &o->id, 0);
	struct cx_hasher h;
	struct st_id real;
	uint64_t at = 0;

	if (dl_parts_whole(p, o)) {
		if (rename_whole(p, first, o, path, what, e) < 0)
			return -1;
		dl_parts_drop(p, &o->id);
		return 0;
	}
	if (io_new_open(&f, path, 0644, e) < 0)
		return -1;
	cx_hash_begin(&h);
	for (size_t i = 0; i < p->count; i++) {
		const struct dl_part *x = &p->at[i];

		if (!st_id_equal(&x->id, &o->id) || x->at != at ||
		    x->have != x->len)
			continue;
		if (append(p, x, &f, &h, e) < 0)
			return -1;
		at += x->len;
	}
	cx_hash_end(&h, real.at);
	if (at != o->len || !st_id_equal(&real, &o->id))
		return is_other(p, o, what, e);
	if (io_new_commit(&f, e) < 0)
		return -1;
	dl_parts_drop(p, &o->id);
	return 0;
}

static void
remove_part(const struct dl_parts *p, const struct dl_part *x)
{
	struct err ignored = ERR_INIT;
	SCOPED_FREE char *path = part_path(p, x, &ignored);

	if (x->fd >= 0)
		(void)close(x->fd);
	if (path != NULL)
		(void)unlink(path);
}

void
dl_parts_drop(struct dl_parts *p, const struct st_id *id)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++)
		if (st_id_equal(&p->at[i].id, id))
			remove_part(p, &p->at[i]);
		else
			p->at[kept++] = p->at[i];
	p->count = kept;
}

void
dl_parts_clear(struct dl_parts *p)
{
	for (size_t i = 0; i < p->count; i++)
		remove_part(p, &p->at[i]);
	p->count = 0;
	p->inherited = false;
}
