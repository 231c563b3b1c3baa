/* appliance_change.c - data and names of a volume that the appliance mounted
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "volume/appliance_run.h"

/* What a request's path names, in the appliance. */
struct place {
	char *file;		/* owned */
	char *path;		/* owned: the same, with its stream */
	bool there, folder;
};

static void
place_done(struct place *p)
{
	free(p->file);
	free(p->path);
}

#define PLACE_SCOPED SCOPED(place_done)

static int
find_place(struct vo_guest_run *w, const struct vo_guest_device *d,
	   const char *path, struct place *ret, struct err *e)
{
	const char *stream;
	struct guestfs_statns *st;
	int r = vo_guest_find(w, d, path, true, &ret->file, &stream, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_NO, "its folder is not "
					    "there");
	if (stream != NULL && d->kind != VO_NTFS)
		return err_set(e, ERR_UNSUPPORTED, "%s has no streams, and no "
			       "colons in names", vo_kind_name(d->kind));
	ret->path = vo_guest_stream(w, d, ret->file, stream, e);
	if (ret->path == NULL)
		return -1;
	st = w->gf->lstatns(w->g, ret->file);
	ret->there = st != NULL;
	ret->folder = st != NULL && (st->st_mode & 0170000) == 0040000;
	if (st == NULL && w->gf->last_errno(w->g) != ENOENT)
		return vo_guest_fail(w, "look at it", e);
	if (st != NULL)
		w->gf->free_statns(st);
	return 0;
}

/* ---- data ----------------------------------------------------------------- */

static int
write_at(struct vo_guest_run *w, const char *path, const char *data, size_t len,
	 uint64_t at, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		int n = w->gf->pwrite(w->g, path, data + done, len - done,
				      (int64_t)(at + done));

		if (n <= 0)
			return vo_guest_fail(w, "write it", e);
		done += (size_t)n;
	}
	return 0;
}

static int
change_data(struct vo_guest_run *w, const struct place *p,
	    const struct vo_request *q, struct err *e)
{
	bool stream = strcmp(p->path, p->file) != 0;

	if (p->folder && !stream)
		return err_set(e, ERR_USAGE, "is a folder");
	if (!p->there && (stream || q->op != VO_OP_PUT))
		return err_set(e, ERR_NO, "is not there");
	/* opening a stream to write does not make it */
	if (stream && q->op != VO_OP_PUT &&
	    w->gf->filesize(w->g, p->path) < 0 &&
	    w->gf->write(w->g, p->path, "", 0) < 0)
		return vo_guest_fail(w, "make the stream", e);
	if (q->op == VO_OP_TRUNCATE)
		return w->gf->truncate_size(w->g, p->path,
					    (int64_t)q->size) == 0 ? 0
			: vo_guest_fail(w, "change its size", e);
	if (q->op == VO_OP_PUT && w->gf->write(w->g, p->path, "", 0) < 0)
		return vo_guest_fail(w, "write it", e);
	return write_at(w, p->path, q->data, q->len, q->at, e);
}

/* ---- names ---------------------------------------------------------------- */

static int
make_name(struct vo_guest_run *w, const struct place *p, enum vo_op op,
	  struct err *e)
{
	int r;

	if (p->there)
		return err_set(e, ERR_USAGE, "is there already");
	r = op == VO_OP_MKDIR ? w->gf->mkdir(w->g, p->path)
			      : w->gf->write(w->g, p->path, "", 0);
	return r == 0 ? 0 : vo_guest_fail(w, "make it", e);
}

/* Two names that differ in case only cannot stand side by side, and Linux takes
 * them for one. */
static int
change_case(struct vo_guest_run *w, const struct place *p,
	    const struct place *to, const char *given, struct err *e)
{
	const char *last = strrchr(given, '/'), *slash = strrchr(to->path, '/');
	SCOPED_FREE char *as = mem_fmt(e, "%.*s/%s", (int)(slash - to->path),
				       to->path,
				       last == NULL ? given : last + 1);
	SCOPED_FREE char *between = mem_fmt(e, "%.*s/~halcyon~rename~",
					    (int)(slash - to->path), to->path);

	if (as == NULL || between == NULL)
		return -1;
	if (w->gf->rename(w->g, p->path, between) < 0 ||
	    w->gf->rename(w->g, between, as) < 0)
		return vo_guest_fail(w, "rename it", e);
	return 0;
}

static int
move_name(struct vo_guest_run *w, const struct vo_guest_device *d,
	  const struct place *p, const struct vo_request *q, struct err *e)
{
	PLACE_SCOPED struct place to = { .file = NULL };
	int r;

	if (!p->there)
		return err_set(e, ERR_NO, "is not there");
	if (find_place(w, d, q->to, &to, e) < 0)
		return -1;
	/* the same name in another case is no other file */
	if (to.there && (q->op == VO_OP_LINK || !utf_same8(p->path, to.path)))
		return err_set(e, ERR_USAGE, "the new name is there already");
	if (to.there)
		return change_case(w, p, &to, q->to, e);
	r = q->op == VO_OP_LINK ? w->gf->ln(w->g, p->path, to.path)
				: w->gf->rename(w->g, p->path, to.path);
	return r == 0 ? 0 : vo_guest_fail(w, q->op == VO_OP_LINK ? "link it"
					  : "rename it", e);
}

static int
remove_name(struct vo_guest_run *w, const struct place *p, struct err *e)
{
	bool stream = strcmp(p->path, p->file) != 0;
	int r;

	if (!p->there || (stream && w->gf->filesize(w->g, p->path) < 0))
		return err_set(e, ERR_NO, "is not there");
	r = p->folder && !stream ? w->gf->rmdir(w->g, p->path)
				 : w->gf->rm(w->g, p->path);
	if (r == 0)
		return 0;
	return w->gf->last_errno(w->g) == ENOTEMPTY
	     ? err_set(e, ERR_USAGE, "is not empty")
	     : vo_guest_fail(w, "remove it", e);
}

int
vo_guest_change(struct vo_guest_run *w, const struct vo_guest_device *d,
		const struct vo_request *q, struct err *e)
{
	PLACE_SCOPED struct place p = { .file = NULL };

	if (!d->writable)
		return err_set(e, ERR_USAGE,
			       "the volume is open for reading only");
	if (find_place(w, d, q->path, &p, e) < 0)
		return -1;
	switch ((int)q->op) {
	case VO_OP_WRITE:
	case VO_OP_TRUNCATE:
	case VO_OP_PUT:
		return change_data(w, &p, q, e);
	case VO_OP_CREATE:
	case VO_OP_MKDIR:
		return make_name(w, &p, q->op, e);
	case VO_OP_RENAME:
	case VO_OP_LINK:
		return move_name(w, d, &p, q, e);
	default:
		return remove_name(w, &p, e);
	}
}
