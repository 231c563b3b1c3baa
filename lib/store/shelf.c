/* shelf.c - finding and reading records of a repository
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "store/image.h"
#include "store/repo-private.h"

/* ---- index --------------------------------------------------------------- */

static int
open_index(struct st_repo *r, struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(r, e, "index");

	if (dir == NULL || st_index_open(&r->index, dir, e) < 0)
		return -1;
	r->index_is_open = true;
	return 0;
}

const struct st_index *
st_repo_index_get(struct st_repo *r, struct err *e)
{
	(void)pthread_rwlock_rdlock(&r->index_lock);
	if (r->index_is_open)
		return &r->index;
	(void)pthread_rwlock_unlock(&r->index_lock);

	(void)pthread_rwlock_wrlock(&r->index_lock);
	int opened = r->index_is_open ? 0 : open_index(r, e);
	(void)pthread_rwlock_unlock(&r->index_lock);
	if (opened < 0)
		return NULL;
	(void)pthread_rwlock_rdlock(&r->index_lock);
	return &r->index;
}

void
st_repo_index_put(struct st_repo *r)
{
	(void)pthread_rwlock_unlock(&r->index_lock);
}

int
st_repo_index_reload(struct st_repo *r, struct err *e)
{
	(void)pthread_rwlock_wrlock(&r->index_lock);
	st_index_done(&r->index);
	r->index_is_open = false;
	int opened = open_index(r, e);
	(void)pthread_rwlock_unlock(&r->index_lock);
	return opened;
}

int
st_repo_index_added(struct st_repo *r, const struct st_id *id, struct err *e)
{
	SCOPED_FREE char *dir = st_repo_file(r, e, "index");
	int added;

	if (dir == NULL)
		return -1;
	(void)pthread_rwlock_wrlock(&r->index_lock);
	added = r->index_is_open ? st_index_add(&r->index, dir, id, e) :
				   open_index(r, e);
	(void)pthread_rwlock_unlock(&r->index_lock);
	return added;
}

static int
find(struct st_repo *r, const struct st_id *id, struct st_place *ret,
     struct err *e)
{
	const struct st_index *ix = st_repo_index_get(r, e);
	int found;

	if (ix == NULL)
		return -1;
	found = st_index_find(ix, id, ret, e);
	st_repo_index_put(r);
	return found;
}

/* ---- packs --------------------------------------------------------------- */

/* The slot of an open pack, or of the one longest unused; -1: all in use. */
static int
pick_slot(const struct st_repo *r, const struct st_id *id)
{
	int oldest = -1;

	for (int i = 0; i < ST_OPEN_PACKS; i++) {
		const struct st_open_pack *p = &r->pack[i];

		if (p->fd >= 0 && st_id_equal(&p->id, id))
			return i;
		if (p->users > 0)
			continue;
		if (oldest < 0 || p->fd < 0 ||
		    (r->pack[oldest].fd >= 0 && p->used < r->pack[oldest].used))
			oldest = i;
	}
	return oldest;
}

/* A descriptor of a pack; *ret_slot is given back with put_pack(), or -1 when the
 * caller closes it. */
static int
get_pack(struct st_repo *r, const struct st_id *id, int *ret_slot,
	 struct err *e)
{
	char hex[ST_ID_HEX];
	SCOPED_FREE char *path = st_repo_file(r, e, "packs/%s.pack",
					      st_id_hex(id, hex));
	int fd = -1;

	if (path == NULL)
		return -1;
	(void)pthread_mutex_lock(&r->pack_lock);
	int slot = pick_slot(r, id);
	struct st_open_pack *p = slot < 0 ? NULL : &r->pack[slot];

	if (p != NULL && p->fd >= 0 && st_id_equal(&p->id, id)) {
		fd = p->fd;
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			(void)err_sys(e, "%s", path);
		if (fd >= 0 && p != NULL) {
			if (p->fd >= 0)
				(void)close(p->fd);
			p->fd = fd;
			p->id = *id;
			p->users = 0;
		}
	}
	if (fd >= 0 && p != NULL) {
		p->users++;
		p->used = ++r->clock;
	}
	(void)pthread_mutex_unlock(&r->pack_lock);
	*ret_slot = slot;
	return fd;
}

static void
put_pack(struct st_repo *r, int slot, int fd)
{
	if (slot < 0) {
		(void)close(fd);
		return;
	}
	(void)pthread_mutex_lock(&r->pack_lock);
	r->pack[slot].users--;
	(void)pthread_mutex_unlock(&r->pack_lock);
}

void
st_repo_close_packs(struct st_repo *r)
{
	for (int i = 0; i < ST_OPEN_PACKS; i++) {
		if (r->pack[i].fd >= 0)
			(void)close(r->pack[i].fd);
		r->pack[i].fd = -1;
	}
}

int
st_repo_read_place(struct st_repo *r, const struct st_place *p, struct buf *out,
		   struct err *e)
{
	char hex[ST_ID_HEX], name[ST_ID_HEX + 16];
	int slot, fd = get_pack(r, &p->pack.id, &slot, e);

	if (fd < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "packs/%s.pack",
		       st_id_hex(&p->pack.id, hex));
	out->len = 0;

	uint8_t *room = buf_room(out, p->entry.len);
	int got = room == NULL ? buf_ok(out, e) :
		io_read_at(fd, room, p->entry.len, p->entry.at, name, e);
	put_pack(r, slot, fd);
	return got;
}

/* Is it the record that the index says?  What it holds is authenticated by who
 * opens it. */
static bool
is_record(const struct st_id *id, const struct buf *rec)
{
	struct cur c = cur_over("record", rec->at, rec->len);
	struct st_record h = st_record_header(&c);

	return cur_ok(&c) && st_id_equal(&h.id, id) &&
	       h.body_len == cur_left(&c);
}

/* 1 read, 0 not there, or not where the index says; *why says what was wrong. */
static int
try_record(struct st_repo *r, const struct st_id *id, struct buf *out,
	   struct err *why, struct err *e)
{
	struct st_place p;
	struct err bad = ERR_INIT;
	char hex[ST_ID_HEX];
	int found = find(r, id, &p, &bad);

	*why = bad;
	if (found == 0)
		return 0;
	if (found == 1 && st_repo_read_place(r, &p, out, why) == 0) {
		if (is_record(id, out))
			return 1;
		(void)err_set(why, ERR_CORRUPT, "packs/%s.pack: damaged at "
			      "byte %u: another record than the index says",
			      st_id_hex(&p.pack.id, hex), p.entry.at);
	}
	if (why->kind == ERR_CORRUPT || why->os == ENOENT)
		return 0;
	*e = *why;
	return -1;
}

int
st_repo_record(struct st_repo *r, const struct st_id *id, struct buf *out,
	       struct err *e)
{
	struct err why;

	/* A pack may have been replaced since the index was read; or the index
	 * is not what it was. */
	int got = try_record(r, id, out, &why, e);
	if (got == 0)
		got = st_repo_index_reload(r, e) < 0 ? -1 :
			try_record(r, id, out, &why, e);
	if (got == 0)
		got = st_repo_index_mend(r, e) < 0 ? -1 :
			try_record(r, id, out, &why, e);
	if (got != 0)
		return got;
	if (why.kind == ERR_NONE)
		return 0;
	if (why.os == ENOENT)
		why.kind = ERR_CORRUPT;
	*e = why;
	return -1;
}

int
st_repo_has(struct st_repo *r, const struct st_id *id, struct err *e)
{
	struct st_place p;

	return find(r, id, &p, e);
}
