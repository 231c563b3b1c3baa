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
#include "store/image.h"
#include "store/repo.h"

/* What stands behind a version as a disk; key and repository only when it opened
 * them itself. */
struct version {
	struct cx_key key;
	struct st_repo *repo;
	struct st_image *image;
};

static void
version_free(struct version *const *v)
{
	if (*v == NULL)
		return;
	st_image_free(&(*v)->image);
	st_repo_free(&(*v)->repo);
	cx_key_done(&(*v)->key);
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
	if ((flags & DK_WRITE) != 0) {
		(void)err_set(e, ERR_UNSAFE, "%s: stored versions never change; "
			      "export it, change that, and import it with "
			      "--parent %s", operand, operand);
		return NULL;
	}
	v = mem_array(1, sizeof(*v), e);
	if (v == NULL)
		return NULL;
	v->key = (struct cx_key)CX_KEY_EMPTY;
	v->repo = src_repo_with_key(a, &v->key, e);
	if (v->repo == NULL)
		return NULL;
	struct st_repo *r = v->repo;
	return as_disk(TAKE(v), r, operand, e);
}

struct dk *
src_open(const struct cli_args *a, const char *operand, unsigned flags,
	 struct err *e)
{
	if (!src_is_version(operand))
		return dk_open(operand, a->format, a->state, flags, e);
	return open_version(a, operand, flags, e);
}
