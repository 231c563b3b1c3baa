/* disk.c - the disk that a block server serves
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "runtime/block/disk.h"

#include <errno.h>

#include "base/err.h"

void
bd_store_done(struct bd_store *s)
{
	st_repo_free(&s->repo);
	cx_key_done(&s->key);
	*s = (struct bd_store)BD_STORE_EMPTY;
}

void
bd_disk_done(struct bd_disk *d)
{
	st_layer_free(&d->layer);
	st_image_free(&d->image);
	*d = (struct bd_disk)BD_DISK_EMPTY;
}

int
bd_store_open(struct bd_store *ret, const char *repo, int key_fd, struct err *e)
{
	*ret = (struct bd_store)BD_STORE_EMPTY;
	if (cx_key_take(key_fd, &ret->key, e) < 0)
		return -1;
	ret->repo = st_repo_open(repo, e);
	if (ret->repo == NULL)
		return -1;
	return st_repo_unlock(ret->repo, &ret->key, e);
}

static int
open_layer(struct bd_disk *d, const struct cx_key *k, const char *path,
	   struct err *e)
{
	CX_PUBS_SCOPED struct cx_pubs to = CX_PUBS_EMPTY;

	if (access(path, F_OK) < 0) {
		if (errno != ENOENT)
			return err_sys(e, "%s", path);
		if (cx_pubs_add(&to, &k->pub, e) < 0 ||
		    st_layer_new(path, st_image_id(d->image),
				 st_image_size(d->image), &to, e) < 0)
			return -1;
	}
	d->layer = st_layer_open(path, k, d->image, true, e);
	return d->layer == NULL ? -1 : 0;
}

int
bd_disk_open(struct bd_disk *ret, struct bd_store *s, const char *version,
	     const char *layer, struct err *e)
{
	struct bd_disk d = BD_DISK_EMPTY;

	d.image = st_image_open(s->repo, version, ST_IMAGE_CACHE, false, e);
	if (d.image == NULL)
		return -1;
	if (layer != NULL && open_layer(&d, &s->key, layer, e) < 0) {
		bd_disk_done(&d);
		return -1;
	}
	*ret = d;
	return 0;
}

uint64_t
bd_disk_size(const struct bd_disk *d)
{
	return st_image_size(d->image);
}

int
bd_disk_read(struct bd_disk *d, void *buf, size_t len, uint64_t at,
	     struct err *e)
{
	return d->layer != NULL ? st_layer_read(d->layer, buf, len, at, e)
				: st_image_read(d->image, buf, len, at, e);
}

int
bd_disk_extents(struct bd_disk *d, uint64_t at, uint64_t len, st_extent_fn fn,
		void *arg, struct err *e)
{
	return d->layer != NULL
	       ? st_layer_extents(d->layer, at, len, fn, arg, e)
	       : st_image_extents(d->image, at, len, fn, arg, e);
}
