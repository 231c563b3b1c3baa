/* mirror_verify.c - is all of a mirror what its origin signed?  see mirror.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "crypt/hash.h"
#include "delta/mirror.h"
#include "delta/remote.h"
#include "store/container.h"
#include "store/pack.h"
#include "store/version.h"

enum { SMALL_MAX = 256 << 20 };	/* bytes of a manifest, list or fragment */

struct look {
	const char *dir;
	struct dl_seen seen;
	struct dl_release release;
	struct progress *p;
	struct st_id *pack;		/* that were looked at, sorted; owned */
	size_t packs, cap;
	struct dl_looked found;
};

static void
look_done(struct look *l)
{
	free(l->pack);
	dl_release_done(&l->release);
	dl_seen_done(&l->seen);
}

static char *
object_path(const struct look *l, const char *folder, const struct st_id *id,
	    const char *suffix, struct err *e)
{
	char hex[ST_ID_HEX];

	return mem_fmt(e, "%s/%s/%s.%s", l->dir, folder, st_id_hex(id, hex),
		       suffix);
}

/* A file that must have that hash and length; the caller frees *ret. */
static int
check_small(struct look *l, const char *path, const struct dl_object *o,
	    uint8_t **ret, struct err *e)
{
	SCOPED_FREE uint8_t *in = NULL;
	struct st_id real = { .at = { 0 } };
	size_t len;

	if (stop_check(e) < 0 || io_slurp(path, SMALL_MAX, &in, &len, e) < 0)
		return -1;
	cx_hash(real.at, in, len);
	if (len != o->len || !st_id_equal(&real, &o->id))
		return err_set(e, ERR_AUTH, "%s: is not what the release says",
			       path);
	progress_add(l->p, len);
	progress_show(l->p);
	*ret = TAKE(in);
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct st_id));
}

static int
check_pack(struct look *l, const struct st_id *id, struct err *e)
{
	ST_ENTRIES_SCOPED struct st_entries entries = ST_ENTRIES_EMPTY;
	SCOPED_FREE char *path = NULL;

	if (l->packs > 0 && bsearch(id, l->pack, l->packs, sizeof(*id), by_id))
		return 0;
	path = object_path(l, "packs", id, "pack", e);
	if (path == NULL || stop_check(e) < 0 ||
	    st_pack_scan(path, id, &entries, e) < 0 ||
	    mem_grow(&l->pack, &l->cap, l->packs + 1, sizeof(*id), e) < 0)
		return -1;
	l->pack[l->packs++] = *id;
	mem_sort(l->pack, l->packs, sizeof(*id), by_id);
	return 0;
}

static int
check_delta(struct look *l, const struct dl_offer *d, struct err *e)
{
	SCOPED_FREE char *path = object_path(l, "deltas", &d->file.id, "delta",
					     e);
	const struct cx_pub *by;

	if (path == NULL)
		return -1;
	ST_CONTAINER_SCOPED struct st_container *c =
		st_container_open(path, ST_CONTAINER_DELTA, e);
	if (c == NULL ||
	    st_container_trust(c, &l->seen.root.role[CX_ROLE_RELEASE].keys, &by,
			       e) < 0)
		return -1;
	if (st_container_info(c).file_bytes != d->file.len)
		return err_set(e, ERR_AUTH, "%s: is not what the release says",
			       path);
	l->found.deltas++;
	return st_container_check(c, l->p, e);
}

static int
check_version(struct look *l, const struct dl_offered *v, struct err *e)
{
	ST_LIST_SCOPED struct st_list list = ST_LIST_EMPTY;
	SCOPED_FREE char *manifest = object_path(l, "versions", &v->manifest.id,
						 "version", e);
	SCOPED_FREE char *path = object_path(l, "versions", &v->manifest.id,
					     "list", e);
	SCOPED_FREE uint8_t *a = NULL, *b = NULL;

	if (manifest == NULL || path == NULL ||
	    check_small(l, manifest, &v->manifest, &a, e) < 0 ||
	    check_small(l, path, &v->list, &b, e) < 0 ||
	    st_list_parse(path, b, (size_t)v->list.len, &v->manifest.id, &list,
			  e) < 0)
		return -1;
	for (size_t i = 0; i < v->indexes; i++) {
		SCOPED_FREE char *index = object_path(l, "index",
						      &v->index[i].id, "index",
						      e);
		SCOPED_FREE uint8_t *c = NULL;

		if (index == NULL ||
		    check_small(l, index, &v->index[i], &c, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < list.count; i++)
		if (check_pack(l, &list.at[i].pack, e) < 0)
			return -1;
	for (size_t i = 0; i < v->deltas; i++)
		if (check_delta(l, &v->delta[i], e) < 0)
			return -1;
	l->found.versions++;
	return 0;
}

int
dl_mirror_verify(const char *dir, const struct dl_trust *t, struct progress *p,
		 struct dl_looked *ret, struct err *e)
{
	SCOPED(look_done) struct look l = { .dir = dir, .seen = DL_SEEN_EMPTY,
					    .p = p };
	static const struct dl_remote_how how = { .cert = NULL };
	SCOPED_FREE char *own = io_join(dir, "trust/1.root", e);
	const struct dl_trust only_look = {
		.root = t->root != NULL ? t->root : own, .allow_expired = true,
	};
	DL_REMOTE_SCOPED struct dl_remote *r = own == NULL ? NULL :
		dl_remote_open(dir, &how, e);
	int there;

	if (r == NULL)
		return -1;
	there = dl_trust_update(r, &only_look, &l.seen, &l.release, e);
	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_NO, "%s: nothing was ever pushed there",
			       dir);
	for (size_t i = 0; i < l.release.lines; i++)
		for (size_t k = 0; k < l.release.line[i].versions; k++)
			if (check_version(&l, &l.release.line[i].version[k],
					  e) < 0)
				return -1;
	l.found.release = l.seen.mark[CX_ROLE_RELEASE].number;
	l.found.packs = l.packs;
	*ret = l.found;
	return 0;
}
