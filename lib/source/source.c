/* source.c - see source.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "source/source.h"

#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypt/key.h"
#include "disk/disk.h"
#include "source/like.h"
#include "source/take.h"
#include "store/image.h"
#include "store/repo.h"

/* What stands behind a version as a disk; key and repository only when it opened
 * them itself. */
struct version {
	struct cx_key key;
	struct st_repo *repo;
	struct st_image *image;
	char *as;		/* to be written: the image to make a version of */
	char *made;		/* what was made; NULL: nothing yet */
};

static void
version_free(struct version *const *v)
{
	if (*v == NULL)
		return;
	st_image_free(&(*v)->image);
	st_repo_free(&(*v)->repo);
	cx_key_done(&(*v)->key);
	free((*v)->as);
	free((*v)->made);
	free(*v);
}

static int
version_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	const struct version *v = d->own;

	return st_image_read(v->image, buf, len, at, e);
}

/* A caller of dk_extents() and its function. */
struct asked {
	dk_extent_fn fn;
	void *arg;
};

static int
tell(void *arg, uint64_t at, uint64_t len, bool zero, struct err *e)
{
	const struct asked *a = arg;

	return a->fn(a->arg, at, len, zero ? DK_ZERO | DK_HOLE : 0, e);
}

static int
version_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn,
		void *arg, struct err *e)
{
	const struct version *v = d->own;
	struct asked a = { .fn = fn, .arg = arg };

	return st_image_extents(v->image, at, len, tell, &a, e);
}

static void
version_close(struct dk *d)
{
	struct version *v = d->own;

	version_free(&v);
}

static const struct dk_ops version_ops = {
	.read = version_read,
	.extents = version_extents,
	.close = version_close,
};

static struct dk *
as_disk(struct version *v, struct st_repo *r, const char *name, struct err *e)
{
	SCOPED(version_free) struct version *own = v;

	own->image = st_image_open(r, name, ST_IMAGE_CACHE, false, e);
	if (own->image == NULL)
		return NULL;
	uint64_t size = st_image_size(own->image);
	return dk_new(&version_ops, TAKE(own), name, size, 512, e);
}

struct dk *
src_version(struct st_repo *r, const char *version, struct err *e)
{
	struct version *v = mem_array(1, sizeof(*v), e);

	if (v == NULL)
		return NULL;
	v->key = (struct cx_key)CX_KEY_EMPTY;
	return as_disk(v, r, version, e);
}

bool
src_is_version(const char *operand)
{
	return strchr(operand, '/') == NULL && access(operand, F_OK) < 0;
}

struct st_repo *
src_repo(const struct cli_args *a, struct cx_key *key, struct err *e)
{
	ST_REPO_SCOPED struct st_repo *r = NULL;

	if (cli_need_repo(a, e) < 0 || (r = st_repo_open(a->repo, e)) == NULL)
		return NULL;
	if (a->key != NULL &&
	    (cx_key_load(a->key, a->passphrase_fd, cx_ask_terminal, key, e) < 0 ||
	     st_repo_unlock(r, key, e) < 0))
		return NULL;
	return TAKE(r);
}

struct st_repo *
src_repo_with_key(const struct cli_args *a, struct cx_key *key, struct err *e)
{
	if (cli_need_repo(a, e) < 0 || cli_need_key(a, e) < 0)
		return NULL;
	return src_repo(a, key, e);
}

/* ---- writing ------------------------------------------------------------- */

/* The image whose next version it will be. */
static int
pick_line(const struct cli_args *a, const char *operand, struct version *v,
	  struct err *e)
{
	ST_REFS_SCOPED struct st_refs l = ST_REFS_EMPTY;

	v->as = a->as != NULL ? mem_str(a->as, e) :
		mem_strn(operand, strcspn(operand, ":"), e);
	if (v->as == NULL)
		return -1;
	if (a->as == NULL)
		return 0;
	if (!st_name_ok(v->as))
		return err_set(e, ERR_USAGE, "%s: is no name for an image: "
			       "letters, digits, '.', '_', '-'", v->as);
	if (st_ref_numbers(v->repo, v->as, &l, e) < 0)
		return -1;
	if (l.count > 0)
		return err_set(e, ERR_USAGE, "%s: there is an image of that "
			       "name; name a new one", v->as);
	return 0;
}

static int
any(void *arg, uint64_t at, uint64_t len, unsigned kind, struct err *e)
{
	(void)at;
	(void)kind;
	(void)e;
	*(uint64_t *)arg += len;
	return 0;
}

/* dk_commit() of what was written over a version. */
static int
make_version(struct dk *overlay, void *arg, const char *what, struct err *e)
{
	struct version *v = arg;
	const struct st_version *old = st_image_version(v->image);
	SRC_TAKEN_SCOPED struct src_taken got = SRC_TAKEN_EMPTY;
	SCOPED_FREE char *parent = mem_fmt(e, "%s:%llu", old->name,
					   (unsigned long long)old->number);
	const struct src_note note = { "change", what };
	const struct src_take t = {
		.name = v->as, .parent = parent, .note = &note, .notes = 1,
		.exact = (old->flags & ST_VERSION_EXACT) != 0 };
	uint64_t changed = 0;

	if (parent == NULL || dk_changes(overlay, any, &changed, e) < 0)
		return -1;
	if (changed == 0)
		return 0;
	if (src_take_disk(v->repo, overlay, &t, &got, e) < 0)
		return -1;
	free(v->made);
	v->made = mem_fmt(e, "%s:%llu", got.ref.name,
			  (unsigned long long)got.ref.number);
	return v->made == NULL ? -1 : 0;
}

const char *
src_made(struct dk *d)
{
	const struct dk *under = dk_under(d);

	if (under == NULL || under->ops != &version_ops)
		return NULL;
	return ((const struct version *)under->own)->made;
}

struct st_image *
src_version_image(const struct dk *d)
{
	const struct version *v = d->own;

	return d->ops == &version_ops ? v->image : NULL;
}

static struct dk *
open_version(const struct cli_args *a, const char *operand, unsigned flags,
	     struct err *e)
{
	SCOPED(version_free) struct version *v = NULL;

	if (a->repo == NULL) {
		(void)err_set(e, ERR_USAGE, "%s: no such file; for a stored "
			      "version give --repo DIR or set IMGTOOL_REPO",
			      operand);
		return NULL;
	}
	v = mem_array(1, sizeof(*v), e);
	if (v == NULL)
		return NULL;
	v->key = (struct cx_key)CX_KEY_EMPTY;
	v->repo = (flags & DK_WRITE) != 0 ? src_origin(a, &v->key, e) :
					    src_repo_with_key(a, &v->key, e);
	if (v->repo == NULL ||
	    ((flags & DK_WRITE) != 0 && pick_line(a, operand, v, e) < 0))
		return NULL;
	struct st_repo *r = v->repo;
	struct version *arg = v;
	struct dk *d = as_disk(TAKE(v), r, operand, e);
	if (d == NULL || (flags & (DK_WRITE | DK_DRY)) == 0)
		return d;
	return dk_overlay(d, (flags & DK_WRITE) != 0 ? make_version : NULL, arg,
			  e);
}

struct dk *
src_open(const struct cli_args *a, const char *operand, unsigned flags,
	 struct err *e)
{
	if (src_volumes(a, e) < 0)
		return NULL;
	if (!src_is_version(operand))
		return dk_open(operand, a->format, a->state, flags, e);
	return open_version(a, operand, flags, e);
}
