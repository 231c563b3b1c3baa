/* create.c - see create.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "delta/create.h"

#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "crypt/secret.h"
#include "delta/files.h"
#include "delta/list.h"
#include "delta/stored.h"
#include "disk/disk.h"
#include "store/container.h"

/* A delta being made. */
struct making {
	const struct dl_new *n;
	struct dl_delta d;
	struct dl_files files;		/* of the new disk */
	struct dl_shares shares;
};

static void
making_done(struct making *m)
{
	dl_delta_done(&m->d);
	dl_files_done(&m->files);
	dl_shares_done(&m->shares);
}

static int
plan(struct making *m, struct err *e)
{
	DL_CHANGES_SCOPED struct dl_changes changes = DL_CHANGES_EMPTY;
	DL_FILES_SCOPED struct dl_files old = DL_FILES_EMPTY;
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	SCOPED_FREE uint8_t *same = NULL;
	const struct dl_new *n = m->n;

	m->d.created = (uint64_t)time(NULL);
	m->d.old_name = mem_str(n->old_name, e);
	m->d.new_name = mem_str(n->new_name, e);
	if (m->d.old_name == NULL || m->d.new_name == NULL)
		return -1;
	if (n->stored_in != NULL && !n->from_nothing &&
	    dl_stored_same(n->stored_in, n->old_name, n->new_name, &same,
			   e) < 0)
		return -1;
	progress_begin(&p, "compare", true, num_max(n->old->size,
						    n->new->size));
	if (dl_compare(n->old, n->new, same, &m->d, &changes, &p, e) < 0)
		return -1;
	if (dl_files_read(n->old, &old, e) < 0 ||
	    dl_files_read(n->new, &m->files, e) < 0)
		return -1;
	return dl_group(&changes, &old, &m->files, n->effort, &m->d,
			&m->shares, e);
}

/* Bytes that the units of this kind make. */
static uint64_t
sum(const struct dl_delta *d, enum dl_unit_kind kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d->units; i++)
		if (d->unit[i].kind == kind)
			n += d->unit[i].len;
	return n;
}

/* Add the list of what makes it large. */
static int
add_list(struct making *m, struct st_container_new *out, struct err *e)
{
	DL_LIST_SCOPED struct dl_list l = DL_LIST_EMPTY;
	BUF_SCOPED struct buf bytes = BUF_EMPTY;

	if (dl_list_make(&m->shares, &m->files, &m->d, &l, e) < 0 ||
	    dl_list_encode(&l, &bytes, e) < 0)
		return -1;
	m->d.has_list = true;
	return st_container_put(out, bytes.at, bytes.len, &m->d.list_frame, e);
}

static int
write_out(struct making *m, const char *path, struct err *e)
{
	ST_CONTAINER_NEW_SCOPED struct st_container_new *out =
		st_container_begin(path, ST_CONTAINER_DELTA, e);
	PROGRESS_SCOPED struct progress p = { .what = NULL };
	BUF_SCOPED struct buf manifest = BUF_EMPTY;
	const struct dl_new *n = m->n;
	int r;

	if (out == NULL)
		return -1;
	progress_begin(&p, "pack", true, sum(&m->d, DL_UNIT_DATA));
	if (dl_pack(n->old, n->new, &m->d, n->effort, out, &p, e) < 0 ||
	    add_list(m, out, e) < 0)
		return -1;
	if (n->stored_in != NULL &&
	    dl_stored_add(n->stored_in, n->from_nothing ? NULL : n->old_name,
			  n->new_name, &m->d, out, e) < 0)
		return -1;
	r = dl_delta_encode(&m->d, &manifest, e);
	if (r == 0)
		r = st_container_commit(out, manifest.at, manifest.len, n->to,
					n->signer, e);
	if (manifest.at != NULL)
		cx_wipe(manifest.at, manifest.len);
	return r;
}

int
dl_create(const struct dl_new *n, const char *path, struct dl_created *ret,
	  struct err *e)
{
	SCOPED(making_done) struct making m = { .n = n };

	if (plan(&m, e) < 0 || write_out(&m, path, e) < 0)
		return -1;
	ret->changed = sum(&m.d, DL_UNIT_DATA);
	ret->zeroed = sum(&m.d, DL_UNIT_ZERO);
	return 0;
}
