/* over.c - see over.h
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a qcow2 overlay holds is told by qemu-img map, and copied, sparse, into
 * an unlinked file; its backing file is not opened.
 */
#include "source/over.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/proc.h"
#include "disk/disk.h"
#include "source/like.h"
#include "source/source.h"
#include "store/image.h"
#include "store/layer.h"

#define QEMU_MS (24u * 3600 * 1000)
#define MAP_MAX ((size_t)1 << 30)

/* What the overlay holds, ascending. */
struct piece {
	uint64_t at, len;
	bool zero;
};

struct over {
	struct st_image *base;
	struct st_layer *layer;		/* or: */
	int fd;				/* the copy; -1 */
	struct piece *piece;
	size_t pieces, cap;
};

static void
over_free(struct over *const *o)
{
	if (*o == NULL)
		return;
	st_layer_free(&(*o)->layer);
	st_image_free(&(*o)->base);
	if ((*o)->fd >= 0)
		(void)close((*o)->fd);
	free((*o)->piece);
	free(*o);
}

/* ---- as a disk ----------------------------------------------------------- */

/* The piece that holds `at`, or the first behind it. */
static size_t
find(const struct over *o, uint64_t at)
{
	size_t low = 0, high = o->pieces;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->piece[mid].at + o->piece[mid].len <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* How much from `at` on is of one kind, at most len; *ret is its piece, or NULL
 * for the base. */
static uint64_t
same(const struct over *o, uint64_t at, uint64_t len, const struct piece **ret)
{
	size_t i = find(o, at);
	const struct piece *p = i < o->pieces ? &o->piece[i] : NULL;

	*ret = NULL;
	if (p == NULL)
		return len;
	if (p->at > at)
		return num_min(len, p->at - at);
	*ret = p;
	return num_min(len, p->at + p->len - at);
}

static int
over_read(struct dk *d, void *buf, size_t len, uint64_t at, struct err *e)
{
	struct over *o = d->own;
	uint8_t *out = buf;

	if (o->layer != NULL)
		return st_layer_read(o->layer, buf, len, at, e);
	while (len > 0) {
		const struct piece *p;
		size_t n = (size_t)same(o, at, len, &p);

		if (p == NULL ? st_image_read(o->base, out, n, at, e) < 0 :
		    !p->zero && io_read_at(o->fd, out, n, at, d->name, e) < 0)
			return -1;
		if (p != NULL && p->zero)
			memset(out, 0, n);
		out += n;
		at += n;
		len -= n;
	}
	return 0;
}

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
over_extents(struct dk *d, uint64_t at, uint64_t len, dk_extent_fn fn, void *arg,
	     struct err *e)
{
	struct over *o = d->own;
	struct asked a = { .fn = fn, .arg = arg };

	if (o->layer != NULL)
		return st_layer_extents(o->layer, at, len, tell, &a, e);
	while (len > 0) {
		const struct piece *p;
		uint64_t n = same(o, at, len, &p);

		if (p == NULL ? st_image_extents(o->base, at, n, tell, &a, e) < 0 :
				tell(&a, at, n, p->zero, e) < 0)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

static void
over_close(struct dk *d)
{
	struct over *o = d->own;

	over_free(&o);
}

static const struct dk_ops over_ops = {
	.read = over_read,
	.extents = over_extents,
	.close = over_close,
};

struct st_image *
src_over_image(const struct dk *d)
{
	const struct over *o = d->own;

	return d->ops == &over_ops ? o->base : NULL;
}

int
src_over_changes(struct dk *d, dk_extent_fn fn, void *arg, struct err *e)
{
	const struct over *o = d->own;
	struct asked a = { .fn = fn, .arg = arg };

	if (o->layer != NULL)
		return st_layer_changes(o->layer, tell, &a, e);
	for (size_t i = 0; i < o->pieces; i++)
		if (fn(arg, o->piece[i].at, o->piece[i].len, 0, e) < 0)
			return -1;
	return 0;
}

/* ---- what a qcow2 file holds --------------------------------------------- */

/* The overlay without its backing file, in QEMU's words. */
static char *
alone(const char *path, struct err *e)
{
	BUF_SCOPED struct buf b = BUF_EMPTY;

	/* share-rw is not asked for: a running guest's lock is respected. */
	buf_str(&b, "json:{\"driver\":\"qcow2\",\"backing\":null,"
		    "\"file\":{\"driver\":\"file\",\"filename\":\"");
	for (const char *p = path; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == '"' || *p == '\\')
			buf_fmt(&b, "\\u%04x", (unsigned)(unsigned char)*p);
		else
			buf_u8(&b, (uint8_t)*p);
	}
	buf_str(&b, "\"}}");
	return buf_take_str(&b, e);
}

static int
add_piece(struct over *o, const struct js *x, const char *path, struct err *e)
{
	uint64_t start, length;
	bool present, zero;

	if (!js_get_u64(x, "start", &start) ||
	    !js_get_u64(x, "length", &length) ||
	    !js_get_bool(x, "present", &present) ||
	    !js_get_bool(x, "zero", &zero) ||
	    !num_in_range(start, length, st_image_size(o->base)))
		return err_set(e, ERR_CORRUPT, "%s: qemu-img map says something "
			       "strange", path);
	if (!present || length == 0)
		return 0;
	if (mem_grow(&o->piece, &o->cap, o->pieces + 1, sizeof(*o->piece),
		     e) < 0)
		return -1;
	o->piece[o->pieces++] = (struct piece){ .at = start, .len = length,
						.zero = zero };
	return 0;
}

static int
read_map(struct over *o, const char *what, const char *path, struct err *e)
{
	const char *const argv[] = { "qemu-img", "map", "--output=json", what,
				     NULL };
	BUF_SCOPED struct buf out = BUF_EMPTY;
	JS_SCOPED struct js *j = NULL;

	if (proc_must(argv, NULL, 0, &out, MAP_MAX, QEMU_MS, e) < 0 ||
	    (j = js_parse(out.at, out.len, e)) == NULL)
		return err_ctx(e, "%s", path);
	for (size_t i = 0; i < js_count(j); i++)
		if (add_piece(o, js_at(j, i), path, e) < 0)
			return -1;
	return 0;
}

static void
remove_copy(char *const *path)
{
	if (*path != NULL)
		(void)unlink(*path);
	free(*path);
}

static int
open_qcow2(struct over *o, const char *path, struct err *e)
{
	SCOPED_FREE char *what = alone(path, e);
	SCOPED(remove_copy) char *copy = mem_fmt(e, "%s.copy.%ld", path,
						 (long)getpid());
	const char *const argv[] = { "qemu-img", "convert", "-O", "raw", what,
				     copy, NULL };
	BUF_SCOPED struct buf said = BUF_EMPTY;
	struct stat st;

	if (what == NULL || copy == NULL || read_map(o, what, path, e) < 0)
		return -1;
	if (proc_must(argv, NULL, 0, &said, 65536, QEMU_MS, e) < 0)
		return err_ctx(e, "%s", path);
	o->fd = open(copy, O_RDONLY | O_CLOEXEC);
	if (o->fd < 0 || fstat(o->fd, &st) < 0)
		return err_sys(e, "%s", copy);
	if ((uint64_t)st.st_size != st_image_size(o->base))
		return err_set(e, ERR_UNSAFE, "%s: has another size than the "
			       "version it is to be committed to", path);
	return 0;
}

struct dk *
src_over(struct st_repo *r, const char *version, const char *overlay,
	 const struct cx_key *k, struct err *e)
{
	SCOPED(over_free) struct over *o = mem_array(1, sizeof(*o), e);
	struct stat st;

	if (o == NULL)
		return NULL;
	o->fd = -1;
	if (stat(overlay, &st) < 0) {
		(void)err_sys(e, "%s", overlay);
		return NULL;
	}
	o->base = st_image_open(r, version, ST_IMAGE_CACHE, false, e);
	if (o->base == NULL)
		return NULL;
	if (S_ISDIR(st.st_mode)) {
		o->layer = st_layer_open(overlay, k, o->base, false, e);
		if (o->layer == NULL)
			return NULL;
	} else if (open_qcow2(o, overlay, e) < 0) {
		return NULL;
	}
	uint64_t size = st_image_size(o->base);
	return dk_new(&over_ops, TAKE(o), overlay, size, 512, e);
}
